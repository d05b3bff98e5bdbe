"""Tools in the window: off until turned on, shown as cards, allowed by a person before they read files."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.tools import BuiltIn
from app.viewmodels.conversation.tools import ToolRun, ToolState
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.tool_card import ToolCard
from app.widgets.markdown.markdown_view import MarkdownView
from engine import (
    Finished,
    Returned,
    Stats,
    Text,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCall,
    ToolCalled,
    ToolFinished,
    ToolResult,
)
from engine import Thought as ThoughtStep
from tests.app.driving import WAIT_MS, OpenDesk, card_of, next_place, pane_of, say, show_turns, wait_for_end

ROOM = 14
"""Pixels between two parts of an answer, whatever they are."""


def wait_for_run(qtbot: QtBot, desk: Desk) -> ToolRun:
    answer = desk.models.conversation.answer
    assert answer is not None
    qtbot.waitUntil(lambda: bool(answer.runs), timeout=WAIT_MS)
    return answer.runs[0]


def last_card(desk: Desk) -> ToolCard:
    return card_of(desk.window.messages.views[-1])


def test_tools_are_off_until_a_person_turns_them_on(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("tools")
    say(desk, "calculator expression 6 * 7")
    assert wait_for_end(qtbot, desk).text == "user", "a tool was offered that nobody turned on"
    desk.window.commands["tool calculator"].trigger()
    say(desk, "calculator expression 6 * 7")
    assert wait_for_end(qtbot, desk).text == "The tool said 42"


def test_a_call_is_shown_with_arguments_result_and_time(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("calculator", True)
    say(desk, "calculator expression 4817 * 392")
    answer = wait_for_end(qtbot, desk)
    card = last_card(desk)
    assert re.fullmatch(r"Calculator · 4817 \* 392 · [\d.]+ m?s", card.title.text())
    assert not card._details.isVisible()
    card.title.click()
    assert card._details.text() == "expression: 4817 * 392\n→ 1888264"
    assert answer.runs[0].state is ToolState.DONE


def test_what_a_tool_gave_is_told_again_in_later_turns_and_after_a_restart(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("clock", True)
    say(desk, "clock")
    wait_for_end(qtbot, desk)
    told = [message.role for message in desk.models.conversation.history]
    assert told == ["user", "assistant", "tool", "assistant"]
    before = desk.models.conversation.history
    desk.close()
    again = open_desk("tools")
    qtbot.waitUntil(lambda: bool(again.models.conversation.turns), timeout=WAIT_MS)
    assert again.models.conversation.history == before
    assert last_card(again).title.text().startswith("Clock")


def test_reading_a_file_waits_for_permission(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("buy bread")
    desk = open_desk("tools")
    desk.models.toolbox.turn("read_file", True)
    desk.preferences.settings.readable_paths = (str(tmp_path),)
    say(desk, f"read_file path {note}")
    run = wait_for_run(qtbot, desk)
    card = last_card(desk)
    qtbot.waitUntil(card.allow.isVisible, timeout=WAIT_MS)
    assert run.state is ToolState.ASKING
    assert str(note) in card._details.text(), "a person must see what is to be read"
    card.allow.click()
    assert wait_for_end(qtbot, desk).text == "The tool said {'text': 'buy bread'}"
    assert not card.allow.isVisible()


def test_another_conversation_answers_while_a_person_is_asked(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("buy bread")
    desk = open_desk("tools")
    desk.models.toolbox.turn("read_file", True)
    desk.preferences.settings.readable_paths = (str(tmp_path),)
    asking = say(desk, f"read_file path {tmp_path / 'note.txt'}")
    run = wait_for_run(qtbot, desk)
    qtbot.waitUntil(lambda: run.state is ToolState.ASKING, timeout=WAIT_MS)
    desk.window.commands["new"].trigger()
    for number in range(3):
        say(desk, f"what else? {number}")
        assert wait_for_end(qtbot, desk).text.startswith("user")
    assert run.state is ToolState.ASKING
    run.answer(True)
    qtbot.waitUntil(lambda: not asking.is_running, timeout=WAIT_MS)
    assert asking.text == "The tool said {'text': 'buy bread'}"


def test_the_header_says_that_a_tool_is_at_work(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("list_files", True)
    desk.preferences.settings.readable_paths = (str(tmp_path),)
    answer = say(desk, f"list_files path {tmp_path}")
    qtbot.waitUntil(lambda: bool(answer.runs), timeout=WAIT_MS)
    assert desk.models.status.state == "Using a tool…"
    desk.models.conversation.stop()


def test_what_was_not_chosen_is_refused_without_a_question(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("read_file", True)
    desk.preferences.settings.readable_paths = (str(tmp_path),)
    say(desk, "read_file path /etc/passwd")
    assert "not in a folder" in wait_for_end(qtbot, desk).text


def test_a_tool_that_breaks_is_a_failed_call(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("clock", True)
    broken = with_a_mistake(desk.models.toolbox.all[0])
    monkeypatch.setattr(desk.models.toolbox, "all", (broken,))
    say(desk, "clock")
    assert "did not work" in wait_for_end(qtbot, desk).text


def with_a_mistake(tool: BuiltIn) -> BuiltIn:
    """The same tool with a mistake in it."""

    def fail(_arguments: dict[str, Any]) -> Any:
        raise RuntimeError("a mistake of ours")

    return replace(tool, run=fail)


def test_a_refused_reading_is_told_to_the_model(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("read_file", True)
    (tmp_path / "secret.txt").write_text("x")
    desk.preferences.settings.readable_paths = (str(tmp_path),)
    say(desk, "read_file path secret.txt")
    run = wait_for_run(qtbot, desk)
    qtbot.waitUntil(lambda: run.state is ToolState.ASKING, timeout=WAIT_MS)
    assert str(tmp_path / "secret.txt") in last_card(desk)._question.text()
    last_card(desk).refuse.click()
    assert "did not allow" in wait_for_end(qtbot, desk).text
    assert last_card(desk).title.text().endswith("failed")


def test_a_stop_while_a_tool_asks_ends_the_question(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("list_files", True)
    desk.preferences.settings.readable_paths = (str(tmp_path),)
    answer = say(desk, f"list_files path {tmp_path}")
    run = wait_for_run(qtbot, desk)
    qtbot.waitUntil(lambda: run.state is ToolState.ASKING, timeout=WAIT_MS)
    desk.window.commands["stop"].trigger()
    assert answer.state is AnswerState.STOPPED
    assert run.state is ToolState.FAILED
    assert not last_card(desk).allow.isVisible()


def test_earlier_conversations_can_be_searched_by_the_model(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("search_conversations", True)
    say(desk, "The plumber is Mrs. Zimmermann")
    wait_for_end(qtbot, desk)
    desk.window.commands["new"].trigger()
    say(desk, "search_conversations words Zimmermann")
    assert "plumber" in wait_for_end(qtbot, desk).text


def test_answer_now_ends_the_thought(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("think-until-hurried")
    answer = say(desk, "hm?")
    qtbot.waitUntil(lambda: answer.is_thinking and len(answer.thoughts[0].text) > 20, timeout=WAIT_MS)
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    qtbot.waitUntil(pane_of(view).answer_now.isVisible, timeout=WAIT_MS)
    desk.window.commands["answer_now"].trigger()
    assert wait_for_end(qtbot, desk).text == "Well then."
    assert answer.thoughts[-1].title == "Thought for 2 s · ended by you"
    assert not pane_of(view).answer_now.isVisible()


def test_an_answer_is_shown_in_the_order_of_its_steps(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    answer = AnswerTurn(next_place([]))
    show_turns(desk, [answer])
    steps = [
        ThoughtStep("First I look", 1000.0), Text("I look."), ToolCall("clock", {}, "1"), ToolCall("plot", {}, "2"),
        Returned(ToolResult("noon", "1", "clock"), (), 5.0), Returned(ToolResult("drawn", "2", "plot"), (), 5.0),
        ThoughtStep("Then I say it", 2000.0), Text("It is **noon**."),
    ]  # fmt: skip
    events = [
        ThoughtStarted(), ThoughtDelta("First I look"), ThoughtFinished(1000.0), TextDelta("I look."),
        ToolCalled(ToolCall("clock", {}, "1")), ToolCalled(ToolCall("plot", {}, "2")),
        ToolFinished(ToolResult("noon", "1", "clock"), 5.0), ToolFinished(ToolResult("drawn", "2", "plot"), 5.0),
        ThoughtStarted(), ThoughtDelta("Then I say it"), ThoughtFinished(2000.0), TextDelta("It is **noon**."),
    ]  # fmt: skip
    for event in events:
        answer.take(event)
    answer.end(Finished("end_of_turn", Stats(1, 1, 1, 1, 1, 1, 1)))
    kept = AnswerTurn(next_place([]))
    kept.restore(steps)
    assert answer.steps == kept.steps
    live = shown(desk)
    show_turns(desk, [kept])
    assert live == shown(desk)
    assert live == ["Thought for 1 s", "I look.", "Clock", "Plot", "Thought for 2 s", "It is noon."]
    finding = desk.models.finding
    finding.look_for("look", kept)
    places = []
    for _ in range(2):
        assert finding.current is not None
        places.append(finding.current.part)
        finding.step(1)
    assert places == [0, 1], "in the thought, then in the text behind it"


def shown(desk: Desk) -> list[str]:
    """The parts of the last answer from top to bottom."""
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    view.settle()
    view.resize(view.width(), view.height_at(view.width()))
    view.layout().activate()
    tops = [part.mapTo(view, QPoint()).y() for part in view.parts]
    assert tops == sorted(tops)
    assert len(set(tops)) == len(tops)
    assert {below.y() - above.geometry().bottom() for above, below in pairwise(view.parts)} == {ROOM + 1}
    return [
        part.toPlainText() if isinstance(part, MarkdownView) else part.title.text().split(" · ")[0]
        for part in view.parts
    ]
