"""Finding in one conversation: what is counted is what is seen, wherever it stands, and the place is scrolled to."""

import unicodedata

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.look.theme import Theme
from app.viewmodels.conversation.finding import Finding, occurrences
from app.viewmodels.conversation.turns import AnswerTurn, Turn, UserTurn
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.turn_view import TurnView
from app.widgets.markdown.text_view import MAX_MARKS, TextView
from engine import Finished, Message, Stats, Text, Thought
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    last_answer,
    next_place,
    pane_of,
    say,
    show_turns,
    wait_for_end,
)

STATS = Stats(1, 1, 1, 1, 1, 1, 1)


def converse(desk: Desk, *texts: str) -> list[Turn]:
    """Open a conversation of questions and answers in turn; a thought stands before "::" in an answer."""
    turns: list[Turn] = []
    for text in texts:
        if len(turns) % 2 == 0:
            turns.append(UserTurn(Message("user", (Text(text),)), next_place(turns)))
        else:
            thought, _, answer_text = text.rpartition("::")
            answer = AnswerTurn(next_place(turns))
            answer.restore([*([Thought(thought, 1000)] if thought else []), Text(answer_text)])
            answer.end(Finished("end_of_turn", STATS))
            turns.append(answer)
    show_turns(desk, turns)
    return turns


def find(desk: Desk, qtbot: QtBot, text: str) -> Finding:
    """Ask for a text as a person does, and wait until it is counted."""
    desk.window.commands["find"].trigger()
    field = desk.window.find_bar.field
    field.setText(text)
    field.textEdited.emit(text)
    finding = desk.models.finding
    qtbot.waitUntil(lambda: finding.count_line != "…", timeout=WAIT_MS)
    return finding


def view_of(desk: Desk, turn: Turn) -> TurnView:
    return next(view for view in desk.window.messages.views if view.turn is turn)


def marks_of(view: TextView) -> list[tuple[str, str]]:
    """The marked pieces of a text and their colours, in order."""
    marks = view.extraSelections()
    return [(mark.cursor.selectedText(), mark.format.background().color().name()) for mark in marks]


def marked(view: TextView) -> list[str]:
    """What is marked in a text, in order."""
    return [text for text, _ in marks_of(view)]


def present(view: TextView, desk: Desk) -> list[int]:
    """Which of the marks have the colour of the hit that is looked at."""
    color = desk.theme.colors.found_now
    return [number for number, (_, each) in enumerate(marks_of(view)) if each == color]


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(has_engine=False)


@pytest.mark.parametrize(
    ("text", "term", "found"),
    [
        ("Tea and TEA, steal", "tea", ["Tea", "TEA", "tea"]),
        ("東京都は東京の都", "東京", ["東京", "東京"]),
        (unicodedata.normalize("NFD", "Café ガラス cafe"), "café", ["Cafe\u0301"]),
        (unicodedata.normalize("NFD", "한국어 ガラス"), "ガ", ["カ\u3099"]),
        (unicodedata.normalize("NFD", "한국어"), "국", [unicodedata.normalize("NFD", "국")]),
        ("Die Straße, die STRASSE", "straße", ["Straße", "STRASSE"]),
        ("one\u2028two, one\xa0two", "one two", ["one\u2028two", "one\xa0two"]),
        ("1+1=2. 1+1", "1+1", ["1+1", "1+1"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("nothing", "x", []),
        ("", "x", []),
    ],
)
def test_text_is_found_by_the_rules_of_the_search(text: str, term: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in occurrences(text, (term,))] == found


def test_of_several_words_each_is_found_the_longest_first() -> None:
    text = "red, redder"
    assert [text[a:b] for a, b in occurrences(text, ("red", "redder"))] == ["red", "redder"]


def test_what_is_seen_is_counted_and_marked(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "a plum?", "**Pl**um, `plum` and [a PLUM](https://plum.example)\n\n| plum |\n|-|\n| 1 |")
    finding = find(desk, qtbot, "plum")
    assert finding.count_line == "1 of 5"
    assert marked(view_of(desk, turns[0]).text_view) == ["plum"]
    assert marked(view_of(desk, turns[1]).text_view) == ["Plum", "plum", "PLUM", "plum"]
    assert desk.window.find_bar.count.text() == "1 of 5"


def test_places_behind_wide_characters_are_marked_exactly(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "😀😀 plum 🍑 plum", "-")
    find(desk, qtbot, "plum")
    assert marked(view_of(desk, turns[0]).text_view) == ["plum", "plum"]


def test_a_formula_is_no_text(desk: Desk, qtbot: QtBot) -> None:
    source = "alpha $\\alpha$ and $\\nosuchalpha{$ alpha\n\n```tex\n$\\alpha$\n```"
    turns = converse(desk, "?", source)
    finding = find(desk, qtbot, "alpha")
    view = view_of(desk, turns[1]).text_view
    assert marked(view) == ["alpha"] * 3
    assert finding.count_line.endswith("of 3")
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: marked(view) == ["alpha"] * 3, timeout=WAIT_MS)


def test_the_way_goes_round_and_only_one_hit_has_the_other_colour(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "plum", "plum plum")
    finding = find(desk, qtbot, "plum")
    seen = []
    for _ in range(4):
        seen.append((finding.count_line, *(tuple(present(view_of(desk, turn).text_view, desk)) for turn in turns)))
        qtbot.keyClick(desk.window.find_bar.field, Qt.Key.Key_Return)
    assert seen[:3] == [("1 of 3", (0,), ()), ("2 of 3", (), (0,)), ("3 of 3", (), (1,))]
    assert seen[3] == seen[0]
    qtbot.keyClick(desk.window.find_bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert finding.count_line == "1 of 3"
    desk.window.commands["find_previous"].trigger()
    assert finding.count_line == "3 of 3"
    desk.window.commands["find_next"].trigger()
    assert finding.count_line == "1 of 3"


def test_a_hit_in_a_folded_thought_unfolds_it(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "?", "\n".join(["thinking"] * 80) + " of plums::No fruit.")
    view = view_of(desk, turns[1])
    assert isinstance(view, AnswerView)
    assert not pane_of(view).body.isVisible()
    finding = find(desk, qtbot, "plum")
    assert finding.count_line == "1 of 1"
    assert pane_of(view).body.isVisible()
    assert marked(pane_of(view).body) == ["plum"]
    assert marked(view.text_view) == []
    assert_seen(desk, turns[1])


def assert_seen(desk: Desk, turn: Turn) -> None:
    """The hit that is looked at stands in the viewport."""
    hit, view = desk.models.finding.current, view_of(desk, turn)
    assert hit is not None
    assert hit.turn is turn
    place = view.place_of(hit)
    assert place is not None
    top = view.mapTo(desk.window.messages.area.viewport(), place.topLeft()).y()
    assert 0 <= top <= desk.window.messages.area.viewport().height() - place.height()


def test_a_hit_is_scrolled_to_where_no_widget_was(desk: Desk, qtbot: QtBot) -> None:
    texts = [f"{'filler ' * 60}\n\nmessage {number}" for number in range(200)]
    texts[31] = "\n\n".join(["a long answer"] * 200 + ["the needle"] + ["goes on"] * 200)
    turns = converse(desk, *texts)
    assert all(view.turn is not turns[31] for view in desk.window.messages.views)
    assert find(desk, qtbot, "needle").count_line == "1 of 1"
    assert marked(view_of(desk, turns[31]).text_view) == ["needle"]
    assert_seen(desk, turns[31])


def test_what_is_seen_already_is_not_scrolled(desk: Desk, qtbot: QtBot) -> None:
    converse(desk, *[f"message {number} plum\n\n{'filler ' * 60}" for number in range(20)])
    finding = find(desk, qtbot, "plum")
    bar = desk.window.messages.area.verticalScrollBar()
    before = bar.value()
    hit = finding.current
    assert hit is not None
    desk.window.commands["find_next"].trigger()
    desk.window.commands["find_previous"].trigger()
    assert finding.current == hit
    assert bar.value() == before


def test_it_begins_where_the_reader_is(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, *[f"message {number} plum\n\n{'filler ' * 60}" for number in range(60)])
    desk.window.messages.show_turn(turns[30])
    assert find(desk, qtbot, "plum").count_line == "31 of 60"
    assert find(desk, qtbot, "plu").count_line == "31 of 60"
    assert find(desk, qtbot, "message 7").count_line == "1 of 1"


def test_nothing_found_is_said_and_nothing_asked_is_silent(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "plum", "plum")
    assert find(desk, qtbot, "pear").count_line == "Not found"
    assert not desk.window.find_bar.next.isEnabled()
    assert not desk.window.commands["find_next"].isEnabled()
    assert find(desk, qtbot, "  ").count_line == ""
    assert marked(view_of(desk, turns[0]).text_view) == []


def test_the_count_follows_the_answer_that_is_written(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    answer = say(desk, "a fox?")
    finding = find(desk, qtbot, "fox")
    first = finding.count_line
    qtbot.waitUntil(lambda: finding.count_line not in (first, "…"), timeout=WAIT_MS)
    desk.models.conversation.stop()
    number = len(occurrences(answer.text, ("fox",))) + 1
    qtbot.waitUntil(lambda: finding.count_line.endswith(f"of {number}"), timeout=WAIT_MS)
    view = view_of(desk, answer)
    qtbot.waitUntil(lambda: len(marked(view.text_view)) == number - 1, timeout=WAIT_MS)


def test_the_count_follows_branches_and_conversations(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "plum", "plum", "plum", "plum")
    finding = find(desk, qtbot, "plum")
    assert finding.count_line == "1 of 4"
    show_turns(desk, turns[:2])
    assert finding.count_line == "1 of 2"
    converse(desk, "no fruit", "plum")
    assert finding.count_line == "1 of 1"
    desk.window.commands["new"].trigger()
    assert not finding.is_open
    assert not desk.window.find_bar.isVisible()
    assert not desk.window.commands["find"].isEnabled()


def test_escape_closes_and_gives_the_focus_back(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "plum", "plum")
    view = view_of(desk, turns[1])
    view.text_view.setFocus()
    find(desk, qtbot, "plum")
    assert desk.window.find_bar.field.hasFocus()
    qtbot.keyClick(desk.window.find_bar.field, Qt.Key.Key_Escape)
    assert view.text_view.hasFocus()
    assert not desk.window.find_bar.isVisible()
    assert marked(view.text_view) == []
    desk.window.commands["find_next"].trigger()
    assert desk.window.find_bar.isVisible()
    assert desk.models.finding.count_line == "1 of 2"
    desk.window.find_bar.done.click()
    assert not desk.window.find_bar.isVisible()


def test_escape_in_the_field_does_not_stop_the_answer(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    say(desk, "go")
    qtbot.waitUntil(lambda: bool(last_answer(desk).text), timeout=WAIT_MS)
    find(desk, qtbot, "fox")
    qtbot.keyClick(desk.window.find_bar.field, Qt.Key.Key_Escape)
    assert desk.models.conversation.is_busy
    assert not desk.window.find_bar.isVisible()
    desk.models.conversation.stop()
    wait_for_end(qtbot, desk)


def test_a_selection_can_be_looked_for(desk: Desk) -> None:
    turns = converse(desk, "plum pear", "plum")
    view = view_of(desk, turns[0])
    view.text_view.setFocus()
    cursor = view.text_view.textCursor()
    cursor.setPosition(4, cursor.MoveMode.KeepAnchor)
    view.text_view.setTextCursor(cursor)
    desk.window.commands["find_selection"].trigger()
    assert desk.window.find_bar.field.text() == "plum"
    assert desk.models.finding.count_line == "1 of 2"
    assert view.text_view.hasFocus()


def test_a_message_that_the_search_found_has_its_words_marked(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk()
    say(desk, "red plums and 東京")
    wait_for_end(qtbot, desk)
    desk.models.search.look_for("東京 plum")
    qtbot.waitUntil(lambda: bool(desk.models.search.hits), timeout=WAIT_MS)
    hit = next(hit for hit in desk.models.search.hits if hit.turn_ids)
    desk.models.library.open(hit.conversation_id, hit.turn_ids[0])
    assert marked(view_of(desk, desk.models.conversation.turns[0]).text_view) == ["plum", "東京"]
    assert desk.window.find_bar.isVisible()


def test_a_message_that_was_found_by_the_name_of_a_file_is_only_gone_to(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk()
    attach(desk, draw("plum.png"))
    say(desk, "what is it?")
    wait_for_end(qtbot, desk)
    desk.models.search.look_for("plum.png")
    qtbot.waitUntil(lambda: bool(desk.models.search.hits), timeout=WAIT_MS)
    (hit,) = desk.models.search.hits
    desk.window.sidebar.open_requested.emit(hit.conversation_id, hit.turn_ids[0], False)
    assert not desk.window.find_bar.isVisible()
    turns = converse(desk, "-", "-", "plum", "plum")
    with qtbot.assertNotEmitted(desk.models.finding.reached):
        desk.models.finding.look_for_words("plum", turns[1])
    assert desk.models.finding.count_line == "1 of 2"


def test_the_focus_goes_home_when_who_had_it_is_gone(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, *["plum\n\n" * 30] * 60)
    view_of(desk, turns[-1]).text_view.setFocus()
    find(desk, qtbot, "plum")
    show_turns(desk, turns[:2])
    qtbot.keyClick(desk.window.find_bar.field, Qt.Key.Key_Escape)
    assert desk.window.composer.editor.hasFocus()


def test_a_thousand_turns_are_counted_in_slices_of_which_nobody_is_told(desk: Desk, qtbot: QtBot) -> None:
    converse(desk, *["one plum\n\n**two** plums"] * 1000)
    desk.window.commands["find"].trigger()
    finding, told = desk.models.finding, list[str]()
    finding.changed.connect(lambda: told.append(finding.count_line))
    finding.look_for("plum", None)
    assert finding.count_line == "…"
    qtbot.waitUntil(lambda: finding.count_line == "1 of 2,000", timeout=WAIT_MS)
    assert told.count("…") == 1


def test_of_very_many_hits_those_around_the_present_one_are_marked(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "o " * 3 * MAX_MARKS, "-")
    finding = find(desk, qtbot, "o")
    finding.step(2 * MAX_MARKS)
    view = view_of(desk, turns[0]).text_view
    assert len(marked(view)) == MAX_MARKS
    assert present(view, desk) == [MAX_MARKS // 2]


def test_marks_follow_the_look(desk: Desk, theme: Theme, qtbot: QtBot) -> None:
    turns = converse(desk, "?", "plum plum")
    find(desk, qtbot, "plum")
    theme.step_scale(1)
    view = view_of(desk, turns[1]).text_view
    qtbot.waitUntil(lambda: marked(view) == ["plum", "plum"], timeout=WAIT_MS)
    theme.step_scale(0)


def test_a_hit_at_the_end_of_a_very_long_answer_is_gone_to(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "first", "\n\n".join(["word " * 40] * 300) + "\n\nneedle", *["filler\n\n" * 40] * 20)
    assert find(desk, qtbot, "needle").count_line == "1 of 1"
    assert_seen(desk, turns[1])


def test_escape_leaves_from_its_buttons_too_and_stops_no_answer(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("flow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    find(desk, qtbot, "fox")
    desk.window.find_bar.done.setFocus()
    qtbot.keyClick(desk.window.find_bar.done, Qt.Key.Key_Escape)
    assert not desk.window.find_bar.isVisible()
    assert answer.is_running
    desk.models.conversation.stop()


def test_finding_in_a_shorter_conversation_opened_behind_a_closed_window(desk: Desk) -> None:
    converse(desk, *["plum\n\n" * 20] * 20)
    desk.window.messages.go_to_end()
    desk.window.hide()
    converse(desk, "plum")
    desk.models.finding.open(desk.window.messages.area.seen_turn)
    assert desk.models.finding.is_open


def test_letters_that_grow_when_case_is_ignored_keep_their_places() -> None:
    text = "Straße und GROSSE Straße, İstanbul"
    places = occurrences(text, ("straße",))
    assert [text[start:end] for start, end in places] == ["Straße", "Straße"]
    assert [text[start:end] for start, end in occurrences(text, ("ss",))] == ["ß", "SS", "ß"]
    assert [text[start:end] for start, end in occurrences(text, ("stanbul",))] == ["stanbul"]


def test_a_hit_in_what_is_asked_for_again_leads_nowhere(desk: Desk, qtbot: QtBot) -> None:
    turns = converse(desk, "a plum?", "plum and plum")
    finding = find(desk, qtbot, "plum")
    answer = turns[1]
    assert isinstance(answer, AnswerTurn)
    answer.start_again()
    for _ in range(3):
        finding.step(1)
    assert finding.current is not None
