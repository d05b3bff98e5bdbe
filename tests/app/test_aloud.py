"""Reading aloud: what is said of an answer, a selection and a page, where the place is marked, and hands-free."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtTextToSpeech import QTextToSpeech
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.settings import Settings, SystemVoice
from app.sound.speaker import SpeechError
from app.sound.voices import NO_VOICE, SystemSpeaker
from app.text.sentences import LONGEST, sentences
from app.viewmodels.conversation.turns import AnswerTurn, Place, UserTurn
from app.viewmodels.speech import hands_free as hands_free_module
from app.viewmodels.speech.aloud import Aloud, Sentence
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.spoken import spoken_answer, spoken_in, spoken_selection
from engine import Finished, Stats, TextDelta
from tests.app.driving import WAIT_MS, OpenDesk, answer_view, let_files_be_read, say, wait_for_end
from tests.app.pretended_microphones import PretendedMicrophones
from tests.app.pretended_speaker import PretendedSpeaker
from tests.media_files import tone

MARKDOWN = """# A **bold** start

It costs 3.5 €, e.g. for *J. S. Bach*. See [the page](https://example.org/long?x=1)!

- One `item`
- The area is $\\pi r^2$. Good

```python
print("never spoken.")
```

| a | b |
|---|---|
| 1 | two words |

$$E = mc^2$$

Last 😀 words. End
"""

SPOKEN = [
    "A bold start", "It costs 3.5 €, e.g. for J. S. Bach.", "See the page!", "One item", "The area is pi r^2 .", "Good",
    "Code.", "a", "b", "1", "two words", "E = mc^2", "Last 😀 words.", "End",
]  # fmt: skip


def turn_of(text: str) -> AnswerTurn:
    """An answer that is all there."""
    turn = AnswerTurn(Place())
    turn.take(TextDelta(text))
    turn.end(Finished("stop", Stats()))
    return turn


def split(text: str, **how: bool) -> list[str]:
    return [text[start:end] for start, end in sentences(text, **how)]


def test_a_sentence_ends_where_one_hears_it() -> None:
    assert split("One. Two 3.5! J. S. Bach? „Ja.“ 4. Mai, z. B. hier…") == [
        "One.", "Two 3.5!", "J. S. Bach?", "„Ja.“", "4. Mai, z. B. hier…",
    ]  # fmt: skip
    assert split("第一。第二！「三？」四") == ["第一。", "第二！", "「三？」", "四"]
    assert split("--- \n ... \n") == []


def test_lines_of_a_page_belong_to_one_sentence_until_an_empty_line() -> None:
    page = "It goes on\nto here. Then\n\nanother"
    assert split(page, ends_at_lines=False) == ["It goes on\nto here.", "Then", "another"]
    assert split(page) == ["It goes on", "to here.", "Then", "another"]


def test_what_has_no_end_is_said_in_pieces() -> None:
    pieces = split("word " * 1000)
    assert " ".join(pieces) == ("word " * 1000).strip()
    assert max(map(len, pieces)) <= LONGEST


def test_markdown_is_spoken_as_text(qapp: object) -> None:
    assert [each.text for each in spoken_answer(turn_of(MARKDOWN))] == SPOKEN


def test_the_text_that_is_shown_has_the_same_sentences(view: MarkdownView, qtbot: QtBot) -> None:
    """Before and after formulas are drawn."""
    view.show_markdown(MARKDOWN, is_complete=True)
    assert [each.text for each in spoken_in(view.document())] == SPOKEN
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    assert [each.text for each in spoken_in(view.document())] == SPOKEN


def test_the_sentence_is_marked_where_it_stands(view: MarkdownView) -> None:
    view.show_markdown(MARKDOWN, is_complete=True)
    for number in (0, 3, 6, 13, 12):
        view.mark_spoken(number)
        (mark,) = view.extraSelections()
        expected = {6: 'print("never spoken.")'}.get(number, SPOKEN[number])
        assert mark.cursor.selectedText() == expected
    view.mark_spoken(None)
    assert view.extraSelections() == []


def test_what_is_said_of_a_selection_outlives_its_document() -> None:
    document = QTextDocument("One. Two is longer.\nThree.")
    cursor = QTextCursor(document)
    cursor.setPosition(9)
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    said = spoken_selection(cursor, 2)
    shiboken6.delete(document)
    assert said == [Sentence("is longer.", 1, 2), Sentence("Three.", 2, 2)]


def test_plain_parts_of_a_long_answer_have_the_same_sentences(view: MarkdownView) -> None:
    source = "a *b* " * 9000 + ". Then **more**.\n\nEnd of it."
    view.show_markdown(source, is_complete=True)
    view.set_all()
    assert view.is_partly_plain
    spoken = [each.text for each in spoken_answer(turn_of(source))]
    assert [each.text for each in spoken_in(view.document())] == spoken
    assert "\u206a" not in "".join(spoken)


@pytest.fixture
def speaker() -> PretendedSpeaker:
    return PretendedSpeaker()


def marked(desk: Desk) -> list[str]:
    return [mark.cursor.selectedText() for text in answer_view(desk).texts if text for mark in text.extraSelections()]


def test_an_answer_is_read_sentence_by_sentence(
    open_desk: OpenDesk, speaker: PretendedSpeaker, qtbot: QtBot, settings: Settings
) -> None:
    answers: list[PretendedSpeaker | None] = [speaker, None]

    def open_speaker() -> PretendedSpeaker:
        found = answers.pop()
        if found is None:
            raise SpeechError(NO_VOICE)
        return found

    desk = open_desk("echo", open_speaker=open_speaker)
    settings.speech_rate, settings.speech_voice = 150, SystemVoice("Kate", "en_GB")
    say(desk, "**One** is. Two is. Three is.")
    wait_for_end(qtbot, desk)
    button = answer_view(desk).speak_button
    button.click()
    assert (desk.window.toast.text.text(), button.accessibleName()) == (NO_VOICE, NO_VOICE)

    button.click()
    assert (speaker.said, marked(desk)) == (["user:One is."], ["user:One is."])
    assert (speaker.rate, speaker.voice) == (0.5, settings.speech_voice)
    assert button.accessibleName() == "Stop reading aloud"
    speaker.finish()
    assert (speaker.said[1:], marked(desk)) == (["Two is."], ["Two is."])
    qtbot.keyClick(desk.window, Qt.Key.Key_Escape)
    assert not speaker.is_speaking
    assert (marked(desk), button.accessibleName()) == ([], "Read aloud")

    text = answer_view(desk).text_view
    assert text is not None
    text.setFocus()
    cursor, whole = text.textCursor(), text.toPlainText()
    cursor.setPosition(whole.index("Two"))
    cursor.setPosition(whole.index(" is. Three"), QTextCursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)
    desk.window.commands["speak"].trigger()
    assert (speaker.said[-1], marked(desk)) == ("Two", ["Two is."])
    speaker.finish()
    assert not desk.models.aloud.is_speaking
    assert not desk.window.commands["be_silent"].isEnabled()


def test_the_systems_voice_says_a_sentence_and_tells_when_it_is_over(qtbot: QtBot) -> None:
    """Through Qt, whose own pretended engine takes a tenth of a second for a word."""
    speaker = SystemSpeaker(("mock",))
    assert SystemVoice("Anne", "en_GB") in speaker.voices()
    with qtbot.waitSignal(speaker.spoken, timeout=WAIT_MS):
        speaker.say("Hello", 0.3, SystemVoice("Anne", "en_GB"))
    speech = speaker.findChild(QTextToSpeech)
    assert speech is not None
    assert (speech.voice().name(), speech.rate()) == ("Anne", pytest.approx(0.3))
    with qtbot.assertNotEmitted(speaker.spoken):
        speaker.say("Hello", 0, SystemVoice("Nobody", "xx"))
        speaker.stop()
    assert speech.voice().name() != "Anne"


def test_an_engine_that_only_pretends_is_no_voice() -> None:
    with pytest.raises(SpeechError, match="no voice"):
        SystemSpeaker(("a system that is not there",))


def speak_up(qtbot: QtBot, desk: Desk, microphones: PretendedMicrophones, *pieces: np.ndarray) -> None:
    """Let the room be heard, piece by piece."""
    voice = desk.models.voice
    for piece in pieces:
        before = voice.seconds
        microphones.say(piece)
        qtbot.waitUntil(lambda before=before: not voice.is_recording or voice.seconds > before, timeout=WAIT_MS)


def interrupt(desk: Desk, speaker: PretendedSpeaker, microphones: PretendedMicrophones, qtbot: QtBot) -> None:
    """Do something else while it listens: what was said is kept, and the app never hears itself."""
    window, hands_free = desk.window, desk.models.hands_free
    words, silence = tone(0.4, microphones.rate_hz), np.zeros(microphones.rate_hz, np.float32)
    window.commands["hands_free"].trigger()
    speak_up(qtbot, desk, microphones, silence / 2, words)
    answer_view(desk).speak_button.click()
    assert (hands_free.is_on, desk.models.voice.is_open) == (False, False), "it would hear itself"
    let_files_be_read(desk)
    assert [item.name for item in desk.models.composer.items] == ["Recording 2.wav"], "what was said is kept"
    assert speaker.is_speaking
    window.commands["hands_free"].trigger()
    assert not hands_free.is_on
    assert "what stands in the message" in window.toast.text.text()
    desk.models.composer.remove_all()
    window.composer.record_button.click()
    assert not speaker.is_speaking, "who speaks is alone to be heard"
    answer_view(desk).speak_button.click()
    assert (speaker.is_speaking, "listening" in window.toast.text.text()) == (False, True)
    desk.models.voice.cancel()

    window.commands["hands_free"].trigger()
    speak_up(qtbot, desk, microphones, silence / 2, words)
    desk.models.conversation.regenerate(answer_view(desk).turn)
    assert not hands_free.is_on, "something else was asked"
    wait_for_end(qtbot, desk)
    let_files_be_read(desk)
    desk.models.composer.remove_all()


def speak_without_a_pause(desk: Desk, microphones: PretendedMicrophones, qtbot: QtBot) -> None:
    """As a radio does: it is sent as it is, and answered."""
    words, silence = tone(0.4, microphones.rate_hz), np.zeros(microphones.rate_hz, np.float32)
    num_turns = len(desk.models.conversation.turns)
    desk.window.commands["hands_free"].trigger()
    speak_up(qtbot, desk, microphones, silence / 2, words, words, words)
    assert not desk.models.voice.is_recording
    qtbot.waitUntil(lambda: len(desk.models.conversation.turns) == num_turns + 2, timeout=WAIT_MS)
    assert desk.models.hands_free.is_on
    wait_for_end(qtbot, desk)
    desk.models.hands_free.leave()


def test_hands_free_goes_from_words_to_the_answer_and_back_until_it_is_left(
    open_desk: OpenDesk, speaker: PretendedSpeaker, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphones = PretendedMicrophones()
    desk = open_desk("echo", open_speaker=lambda: speaker, open_microphones=lambda: microphones)
    model, hands_free, window = desk.models.model, desk.models.hands_free, desk.window
    model.load(tmp_path / "full")
    qtbot.waitUntil(lambda: model.is_ready and not model.is_built_in, timeout=WAIT_MS)
    window.composer.voice_menu.hands_free.trigger()
    assert desk.models.voice.is_recording
    assert window.hands_free.text.text() == hands_free.line != ""
    words, silence = tone(0.4, microphones.rate_hz), np.zeros(microphones.rate_hz, np.float32)
    speak_up(qtbot, desk, microphones, silence / 2, words, silence, words, silence, silence)
    qtbot.waitUntil(lambda: bool(speaker.said), timeout=WAIT_MS)
    (turn, _) = desk.models.conversation.turns
    assert isinstance(turn, UserTurn)
    assert turn.enclosures[0].name == "Recording 1.wav"
    assert not desk.models.voice.is_recording
    speaker.finish_all()
    assert desk.models.voice.is_recording
    hum = tone(21, microphones.rate_hz) * np.float32(0.01)
    speak_up(qtbot, desk, microphones, hum)
    qtbot.waitUntil(lambda: not hands_free.is_on, timeout=WAIT_MS)
    assert "Nobody spoke" in window.toast.text.text()
    assert (desk.models.composer.items, window.hands_free.isHidden()) == ((), True)

    interrupt(desk, speaker, microphones, qtbot)
    window.commands["hands_free"].trigger()
    assert hands_free.is_on
    qtbot.keyClick(window.composer.recorder, Qt.Key.Key_Escape)
    assert (hands_free.is_on, desk.models.voice.is_open) == (False, False)
    window.commands["hands_free"].trigger()
    window.hands_free.findChild(QPushButton).click()
    assert (hands_free.is_on, desk.models.voice.is_open) == (False, False)
    monkeypatch.setattr(hands_free_module, "_LONGEST_S", 1.5)
    speak_without_a_pause(desk, microphones, qtbot)


def test_what_has_no_words_is_passed_by(settings: Settings, speaker: PretendedSpeaker) -> None:
    aloud = Aloud(settings, lambda: speaker)
    aloud.speak("an answer", spoken_answer(turn_of("One.\n\n$\\{\\}$\n\nTwo.")))
    speaker.finish()
    assert speaker.said == ["One.", "Two."]
    assert aloud.sentence is not None
    assert aloud.sentence.number == 2
    speaker.finish()
    assert (aloud.is_speaking, aloud.is_through) == (False, True)


def test_a_million_characters_begin_at_once(qapp: object) -> None:
    spoken = spoken_answer(turn_of("A sentence of it. " * 60_000))
    assert [each.text for each in islice(spoken, 2)] == ["A sentence of it."] * 2
