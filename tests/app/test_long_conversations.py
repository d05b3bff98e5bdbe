"""A thousand messages: few of them are widgets, the place never jumps, and the keyboard reaches them all."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.conversation.turns import AnswerTurn, Place, Turn, UserTurn
from app.widgets.chat.message_list import MessageList
from app.widgets.chat.turn_view import Extent, TurnView
from engine import Finished, Message, Stats, Text
from tests.app.driving import WAIT_MS, OpenDesk, next_place, show_turns

NUM_TURNS = 1000
MANY = 40
"""More widgets than this are no longer few."""


def fill(desk: Desk, num_turns: int = NUM_TURNS) -> MessageList:
    """Open a conversation of questions and answers of several lengths."""
    turns: list[UserTurn | AnswerTurn] = []
    for number in range(num_turns // 2):
        turns.append(UserTurn(Message("user", (Text(f"Question {number}"),)), next_place(turns)))
        answer = AnswerTurn(next_place(turns))
        answer.restore(
            [Text("\n\n".join([f"Answer {number}.", "some words " * 30, "- one\n- two"] * (1 + number % 3)))]
        )
        answer.end(Finished("end_of_turn", Stats(1, 1, 1, 1, 1, 1, 1)))
        turns.append(answer)
    show_turns(desk, turns)
    return desk.window.messages


def settle(qtbot: QtBot, messages: MessageList) -> None:
    """Wait until what is near the viewport has been built."""
    numbers: list[int] = []

    def is_steady() -> bool:
        numbers.append(len(messages.views))
        return len(numbers) > 3 and len(set(numbers[-3:])) == 1

    qtbot.waitUntil(is_steady, timeout=WAIT_MS)


def top_of(messages: MessageList, view: TurnView) -> int:
    """Where a view begins, in pixels from the top of the viewport."""
    return view.mapTo(messages.area.viewport(), view.rect().topLeft()).y()


def seen_view(messages: MessageList) -> TurnView:
    return next(view for view in messages.views if top_of(messages, view) + view.height() > 0)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(has_engine=False)


def test_only_turns_near_the_viewport_are_widgets(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk)
    assert 0 < len(messages.views) < MANY
    assert messages.views[-1].text_view.toPlainText().startswith(f"Answer {NUM_TURNS // 2 - 1}.")
    bar = messages.area.verticalScrollBar()
    for place in (bar.maximum() // 2, 0, bar.maximum() // 3):
        bar.setValue(place)
        settle(qtbot, messages)
        assert len(messages.views) < MANY
        bottom = max(top_of(messages, view) + view.height() for view in messages.views)
        assert top_of(messages, seen_view(messages)) <= 14, "a hole at the top"
        assert bottom >= messages.area.viewport().height(), "a hole at the end"


def test_a_change_of_the_look_sets_only_those_anew_that_are_seen(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk)
    settle(qtbot, messages)
    built = len(messages.views)
    seen = sum(top_of(messages, view) + view.height() > 0 for view in messages.views)
    desk.window.commands["dark"].trigger()
    assert len(messages.views) <= seen + 1 < built + 1
    desk.window.commands["light"].trigger()


def test_at_another_width_or_size_no_text_is_read_again_that_is_no_widget(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = fill(desk)
    settle(qtbot, messages)
    read: list[Turn] = []
    extent_of = Extent.of
    monkeypatch.setattr(Extent, "of", lambda turn: read.append(turn) or extent_of(turn))
    desk.window.resize(700, 740)
    desk.window.commands["bigger"].trigger()
    assert len(read) < MANY
    desk.window.commands["usual"].trigger()


@pytest.mark.parametrize("change", ["wider", "bigger", "darker"])
def test_the_turn_that_is_read_stays_in_its_place(desk: Desk, qtbot: QtBot, change: str) -> None:
    messages = fill(desk)
    turn = desk.models.conversation.turns[601]
    view = messages.show_turn(turn)
    assert view is not None
    settle(qtbot, messages)
    before = top_of(messages, view)
    match change:
        case "wider":
            desk.window.resize(700, 740)
        case "bigger":
            desk.window.commands["bigger"].trigger()
        case "darker":
            desk.window.commands["dark"].trigger()
    settle(qtbot, messages)
    assert top_of(messages, view) == before
    desk.window.commands["usual"].trigger()
    desk.window.commands["light"].trigger()


def test_scrolling_up_through_turns_that_were_never_built_does_not_jump(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk, 100)
    messages.show_turn(desk.models.conversation.turns[60])
    settle(qtbot, messages)
    bar = messages.area.verticalScrollBar()
    for _ in range(60):
        view = seen_view(messages)
        before = top_of(messages, view)
        bar.setValue(bar.value() - 50)
        assert top_of(messages, view) == before + 50
        qtbot.wait(1)


def test_a_turn_far_away_can_be_shown(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk)
    turn = desk.models.conversation.turns[7]
    view = messages.show_turn(turn)
    assert view is not None
    assert view.text_view.toPlainText().startswith("Answer 3.")
    assert top_of(messages, view) == 24
    settle(qtbot, messages)
    assert top_of(messages, view) == 24
    assert messages.views[-1] is not view
    messages.go_to_end()
    bar = messages.area.verticalScrollBar()
    assert bar.value() == bar.maximum()


def test_a_turn_of_another_conversation_cannot_be_shown(desk: Desk) -> None:
    messages = fill(desk, 4)
    assert messages.show_turn(UserTurn(Message("user", (Text("elsewhere"),)), Place())) is None


def test_the_keyboard_reaches_turns_that_were_no_widgets(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk, 200)
    messages.views[-1].text_view.setFocus()
    names = []
    for _ in range(60):
        focused = messages.focused_view
        assert focused is not None
        if focused.accessibleName() not in names:
            names.append(focused.accessibleName())
        qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Backtab)
    spoken = [turn.spoken for turn in reversed(desk.models.conversation.turns)]
    assert len(names) > 15
    assert names == spoken[: len(names)]


def test_a_command_walks_through_all_messages(desk: Desk, qtbot: QtBot) -> None:
    messages, turns = fill(desk, MANY + 20), desk.models.conversation.turns
    editor, commands = desk.window.composer.editor, desk.window.commands
    editor.setFocus()
    walked = []
    for _ in turns:
        qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        view = messages.focused_view
        assert view is not None
        assert 0 <= top_of(messages, view) < messages.area.viewport().height()
        walked.append(view.turn)
    assert walked == turns[::-1]
    commands["previous_message"].trigger()
    assert messages.focused_view is not None
    assert messages.focused_view.turn is turns[0]
    qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert messages.focused_view.turn is turns[1]
    assert messages.focused_view.property("isRinged")


def test_the_walk_goes_over_turns_without_a_text(desk: Desk) -> None:
    messages = fill(desk, 4)
    turns: list[UserTurn | AnswerTurn] = list(desk.models.conversation.turns)
    waiting = AnswerTurn(next_place(turns))
    following = UserTurn(Message("user", (Text("and then?"),)), next_place([*turns, waiting]))
    show_turns(desk, [*turns, waiting, following])
    walked = []
    for _ in range(3):
        desk.window.commands["previous_message"].trigger()
        assert messages.focused_view is not None
        walked.append(messages.focused_view.turn)
    assert walked == [following, waiting, turns[3]]


def test_in_a_draft_the_same_keys_are_the_editors(desk: Desk, qtbot: QtBot) -> None:
    messages, editor = fill(desk, 4), desk.window.composer.editor
    editor.setPlainText("one\ntwo")
    qtbot.keyClick(editor, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert messages.focused_view is None
    assert editor.hasFocus()


def test_the_turn_with_the_focus_or_a_selection_stays_a_widget(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk, 200)
    settle(qtbot, messages)
    focused, selected = messages.views[-2], messages.views[-3]
    focused.text_view.setFocus()
    selected.text_view.selectAll()
    messages.area.verticalScrollBar().setValue(0)
    settle(qtbot, messages)
    assert focused in messages.views
    assert selected in messages.views
    assert focused.text_view.hasFocus()


def test_turns_that_stay_keep_their_widgets_and_the_place(desk: Desk, qtbot: QtBot) -> None:
    messages = fill(desk, 100)
    view = messages.show_turn(desk.models.conversation.turns[40])
    assert view is not None
    before = top_of(messages, view)
    show_turns(desk, desk.models.conversation.turns[:60])
    assert view in messages.views
    assert top_of(messages, view) == before
