"""A recording becomes text in its places: nothing twice, nothing lost, nothing made up, and it goes on after a stop."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import soundfile

from engine.checkpoint.sample import sample_checkpoint
from engine.engine import Engine
from engine.preprocess.sound import SAMPLE_RATE
from engine.protocol.documents import SpokenPiece
from engine.protocol.errors import AttachmentError, EngineError, PromptError
from engine.protocol.events import FinishReason, Logprob, ModelInfo, RecordingRead, SpeechRead, Traits
from engine.protocol.messages import Sound
from engine.protocol.requests import Transcribe
from engine.recordings import growing
from engine.tasks.asking import Answered, Ask, ask_engine
from engine.tasks.recording import read_recording, transcribe
from tests.recordings.made import noise, recording, write_wav
from tests.recordings.test_silence import babble
from tests.tiny import write_checkpoint, write_unified

INFO = ModelInfo("name", "/path", "E2B", ("text", "sound"), 8192, 1, 1, "bfloat16", "bfloat16", "cpu")


@pytest.fixture(scope="module")
def sample() -> Engine:
    return Engine.load(sample_checkpoint())


class Scripted:
    """Answers each question with the next of these, the last ones first; keeps what was asked."""

    def __init__(self, *answers: str | Answered) -> None:
        self.answers = [each if isinstance(each, Answered) else Answered(each, "end_of_turn") for each in answers]
        self.asked: list[Ask] = []
        self.heard_s: list[float] = []

    def __call__(self, asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for ask in asks:
            self.asked.append(ask)
            (sound,) = ask.messages[0].media
            self.heard_s.append(soundfile.info(sound.path).duration)
        yield from reversed(list(enumerate(self.answers)))


def pieces_of(events: Iterable[SpeechRead | RecordingRead]) -> list[SpokenPiece]:
    *pieces, ending = events
    assert isinstance(ending, RecordingRead)
    assert not ending.is_cancelled
    return [each.piece for each in pieces if isinstance(each, SpeechRead)]


def words(pieces: Iterable[SpokenPiece]) -> list[str]:
    return [piece.text for piece in pieces if piece.state != "silent"]


def test_every_digit_is_written_in_its_place_and_silence_is_silent(sample: Engine, tmp_path: Path) -> None:
    samples, said = recording([4, 2, 3, 5, 4], [1.5, 1.2, 7, 1.5, 2, 6])
    path = write_wav(tmp_path / "a.wav", samples)
    events = list(read_recording(path, ask_engine(sample), sample.info))
    spoken = [piece for piece in pieces_of(events) if piece.state == "done"]
    assert [piece.text for piece in spoken] == [each.digits for each in said]
    for piece, true in zip(spoken, said, strict=True):
        assert abs(piece.start_s - true.start_s) < 0.3
        assert abs(piece.end_s - true.end_s) < 0.3
        assert piece.confidence is not None
        assert piece.confidence < 0
    assert {piece.text for piece in pieces_of(events) if piece.state == "silent"} == {""}
    assert events[-1] == RecordingRead(pytest.approx(len(samples) / SAMPLE_RATE, abs=0.03))


def test_clips_are_no_longer_than_the_checkpoint_hears(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", babble(40))
    short = msgspec.structs.replace(INFO, traits=Traits(max_clip_seconds=5))
    for info, longest_s in [(short, 5), (INFO, 28)]:
        ask = Scripted()
        list(read_recording(path, ask, info))
        assert longest_s - 3.5 < max(ask.heard_s) <= longest_s


def test_silence_is_asked_of_nobody(tmp_path: Path) -> None:
    ask = Scripted()
    events = list(read_recording(write_wav(tmp_path / "a.wav", noise(70)), ask, INFO))
    assert not ask.asked
    assert {each.piece.state for each in events if isinstance(each, SpeechRead)} == {"silent"}
    assert events[-1] == RecordingRead(70.0)


def test_what_both_sides_of_a_cut_heard_is_told_once(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", babble(60))
    ask = Scripted("one two three fo", "three four five six", "six. Seven eight")
    assert words(pieces_of(read_recording(path, ask, INFO))) == ["one two three", "four five six", "Seven eight"]


def test_pieces_come_in_order_whatever_is_answered_first(tmp_path: Path) -> None:
    samples, said = recording([0, 1, 2], [2, 2, 2, 2])
    pieces = pieces_of(read_recording(write_wav(tmp_path / "a.wav", samples), Scripted("a", "b", "c"), INFO))
    assert words(pieces) == ["a", "b", "c"]
    assert [round(piece.start_s - true.start_s, 0) for piece, true in zip(pieces, said, strict=False)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "reason", "state", "told"),
    [
        ("it rains and rains and rains and rains and rains", "length", "looped", "it rains and"),
        ("he said that", "length", "cut_off", "he said that"),
        ("7 7 7 7", "end_of_turn", "done", "7 7 7 7"),
        ("two\n lines ", "end_of_turn", "done", "two lines"),
        ("", "end_of_turn", "silent", ""),
    ],
)
def test_the_state_says_how_it_ended(tmp_path: Path, text: str, reason: FinishReason, state: str, told: str) -> None:
    path = write_wav(tmp_path / "a.wav", recording([4], [1, 0.0])[0])
    logprobs = (Logprob(1, "a", -0.5), Logprob(2, "b", -0.25))
    piece, *_ = pieces_of(read_recording(path, Scripted(Answered(text, reason, logprobs)), INFO))
    assert (piece.state, piece.text, piece.confidence) == (state, told, -0.5)
    assert bool(piece.reason) == (state in ("looped", "cut_off"))


LOOP = Answered("it rains and rains and rains and rains", "length")


class InOrder(Scripted):
    """Answers each question before the next one is taken."""

    def __call__(self, asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for number, ask in enumerate(asks):
            (sound,) = ask.messages[0].media
            self.heard_s.append(soundfile.info(sound.path).duration)
            yield number, self.answers.pop(0)


def test_where_a_model_lost_its_way_it_hears_the_parts(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", babble(40))
    ask = InOrder(LOOP, "it rains and", "and then it snows", "all day", "nobody knows")
    first, second = (each for each in pieces_of(read_recording(path, ask, INFO)) if each.state != "silent")
    assert (first.text, first.state) == ("it rains and then it snows all day", "done")
    assert (second.text, second.state) == ("nobody knows", "done")
    assert max(ask.heard_s[1:4]) < 0.8 * ask.heard_s[0]


def test_what_the_parts_do_not_mend_stays_marked_and_is_asked_about_once(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", babble(20))
    ask = InOrder(LOOP, "it rains and", LOOP, "it snows")
    (piece,) = (each for each in pieces_of(read_recording(path, ask, INFO)) if each.state != "silent")
    assert (piece.text, piece.state) == ("it rains and", "looped")
    assert not ask.answers


def test_one_piece_that_fails_stops_no_other(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", recording([4, 4], [1, 2, 0.0])[0])
    pieces = pieces_of(read_recording(path, Scripted(Answered("", None, error="Too long."), "8 2 4"), INFO))
    assert [(piece.state, piece.text, piece.reason) for piece in pieces if piece.state != "silent"] == [
        ("failed", "", "Too long."),
        ("done", "8 2 4", ""),
    ]


def test_an_answer_that_declines_is_no_speech(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", recording([2, 2], [1, 2, 1])[0])
    info = msgspec.structs.replace(INFO, traits=Traits(declines="I am a sample"))
    pieces = pieces_of(read_recording(path, Scripted("I am a sample, ask another one.", "8 2 4"), info))
    told = [(piece.state, piece.text) for piece in pieces if piece.state != "silent"]
    assert told == [("failed", ""), ("done", "8 2 4")]


def test_a_translation_stands_beside_what_was_said(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", recording([4, 4], [1, 2, 0.0])[0])
    ask = Scripted("Guten Tag\nEnglish: Good day", "Auf Wiedersehen")
    pieces = pieces_of(read_recording(path, ask, INFO, language="German", translation="English"))
    assert [(piece.text, piece.translation, bool(piece.reason)) for piece in pieces if piece.text] == [
        ("Guten Tag", "Good day", False),
        ("Auf Wiedersehen", "", True),
    ]
    assert "in German, then translate it into English" in ask.asked[0].messages[0].text


def test_stopped_and_gone_on_with_is_the_same_as_at_once(sample: Engine, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", recording([4, 2, 3, 4, 2, 4], [1, 1.5, 7, 0.5, 2, 2, 3])[0])
    whole = pieces_of(read_recording(path, ask_engine(sample), sample.info))

    def stopped(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for number, (index, answered) in enumerate(ask_engine(sample)(asks)):
            yield index, answered if number < 3 else Answered("", "cancelled")

    *told, ending = read_recording(path, stopped, sample.info)
    assert isinstance(ending, RecordingRead)
    assert ending.is_cancelled
    first = [event.piece for event in told if isinstance(event, SpeechRead)]
    assert 0 < len(first) < len(whole)
    rest = pieces_of(read_recording(path, ask_engine(sample), sample.info, behind=first[-1]))
    assert [(each.start_s, each.end_s, each.text) for each in [*first, *rest]] == [
        (each.start_s, each.end_s, each.text) for each in whole
    ]


@pytest.mark.parametrize("size_s", [0.7, 13])
def test_written_down_while_it_is_recorded_it_is_the_same(
    sample: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_s: float
) -> None:
    monkeypatch.setattr(growing, "_POLL_S", 0)
    path = write_wav(tmp_path / "whole.wav", recording([4, 2, 3, 5, 4], [1, 1.5, 11, 0.5, 2, 3])[0])
    whole = pieces_of(read_recording(path, ask_engine(sample), sample.info))
    data, grown, size = path.read_bytes()[44:], tmp_path / "grown.wav", round(size_s * SAMPLE_RATE) * 2
    grown.write_bytes(growing.growing_header())
    parts = (data[at : at + size] for at in range(0, len(data), size))

    def is_cancelled() -> bool:
        """Asked where nothing new is there."""
        part = next(parts, None)
        if part is None:
            growing.finish_growing(grown)
        else:
            with grown.open("ab") as file:
                file.write(part)
        return False

    @contextmanager
    def lend() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(info=sample.info, asking=ask_engine(sample))

    events = transcribe(Transcribe(1, str(grown), is_growing=True), is_cancelled, lend)
    assert [(each.start_s, each.end_s, each.text) for each in pieces_of(events)] == [
        (each.start_s, each.end_s, each.text) for each in whole
    ]


def test_gone_on_with_in_the_middle_of_speech_no_word_is_told_twice(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", babble(60))
    first, *others = pieces_of(read_recording(path, Scripted("one two three", "three four five", "five six"), INFO))
    assert words([first, *others]) == ["one two three", "four five", "six"]
    rest = pieces_of(read_recording(path, Scripted("three four five", "five six"), INFO, behind=first))
    assert rest == others


def test_what_could_be_read_before_a_damage_stands(tmp_path: Path) -> None:
    samples = recording([4, 4, 4, 4], [1, 2, 2, 30, 1])[0]
    samples = np.concatenate([samples, np.full(SAMPLE_RATE, np.nan, np.float32)])
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    told = list[str]()
    with pytest.raises(AttachmentError, match="damaged"):  # noqa: PT012 - what came before is the point
        for event in read_recording(tmp_path / "a.wav", Scripted("1", "2", "3"), INFO):
            assert isinstance(event, SpeechRead)
            told.append(event.piece.text)
    assert [text for text in told if text] == ["1", "2", "3"]


def test_a_model_that_cannot_hear_is_not_asked(tiny_checkpoint: Path, tmp_path: Path) -> None:
    engine = Engine.load(tiny_checkpoint)
    with pytest.raises(PromptError, match="cannot hear"):
        next(read_recording(tmp_path / "a.wav", ask_engine(engine), engine.info))


@pytest.mark.parametrize("kind", ["tower", "raw frames"])
def test_clips_reach_towers_and_raw_frames(kind: str, tmp_path: Path) -> None:
    if kind == "tower":
        write_checkpoint(tmp_path / "model", hears=True)
    else:
        write_unified(tmp_path / "model")
    engine = Engine.load(tmp_path / "model")
    path = write_wav(tmp_path / "a.wav", recording([0, 1], [1, 2, 1])[0])
    pieces = pieces_of(read_recording(path, ask_engine(engine), engine.info))
    assert len([piece for piece in pieces if piece.confidence is not None]) == 2


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ask = Scripted("a")
    list(read_recording(write_wav(tmp_path / "a.wav", recording([4], [1, 0.0])[0]), ask, INFO))
    (sound,) = ask.asked[0].messages[0].media
    assert isinstance(sound, Sound)
    assert Path(sound.path).parent.parent == tmp_path
    assert [each.name for each in tmp_path.iterdir()] == ["a.wav"]


class Lender:
    """Lends a model that answers each question with its number; another one from a turn on."""

    def __init__(self, changes_at: int = 99) -> None:
        self.num_lent, self.num_answered = 0, 0
        self.changes_at = changes_at

    @contextmanager
    def __call__(self) -> Iterator["Lender"]:
        self.num_lent += 1
        yield self

    @property
    def info(self) -> ModelInfo:
        return INFO if self.num_lent < self.changes_at else msgspec.structs.replace(INFO, path="/other")

    def asking(self, asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for place, _ in enumerate(asks):
            self.num_answered += 1
            yield place, Answered(str(self.num_answered), "end_of_turn")


def test_a_model_is_given_back_between_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tasks.recording._LENT_S", 0.0)
    path = write_wav(tmp_path / "a.wav", recording([4] * 5, [2] * 6)[0])
    lender = Lender()
    pieces = pieces_of(transcribe(Transcribe(1, str(path)), lambda: False, lender))
    assert words(pieces) == ["1", "2", "3", "4", "5"]
    assert lender.num_lent == 6


def test_another_model_does_not_go_on_with_it_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tasks.recording._LENT_S", 0.0)
    path = write_wav(tmp_path / "a.wav", recording([4] * 5, [2] * 6)[0])
    events = transcribe(Transcribe(1, str(path)), lambda: False, Lender(changes_at=4))
    assert isinstance(next(events), SpeechRead)
    assert isinstance(next(events), SpeechRead)
    with pytest.raises(EngineError, match="Go on with the rest"):
        next(events)


def test_without_room_for_a_clip_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wav(tmp_path / "a.wav", recording([4], [1, 0.0])[0])
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    with pytest.raises(EngineError, match=r"No temporary file can be written: .*\. Make room and go on\."):
        list(read_recording(path, Scripted("a"), INFO))
