"""What happens when the engine fails, dies, babbles or hangs: a sentence, a way on, and nothing lost."""

import time

import pytest
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.status import Mood
from app.viewmodels.turns import AnswerState
from app.widgets.turn_views import AnswerView
from tests.app.driving import WAIT_MS, Draw, OpenDesk, last_answer, say, wait_for_end


def last_view(desk: Desk) -> AnswerView:
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    return view


def test_a_failure_is_one_sentence_with_a_retry(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fail")
    say(desk, "too long")
    answer = wait_for_end(qtbot, desk)
    view = last_view(desk)
    assert answer.state is AnswerState.FAILED
    assert view.error_text.text() == "This conversation needs 9,000 tokens and the model can hold 8,192."
    assert view.retry_button.isVisible()
    assert view.text_view.toPlainText() == "I begin"
    assert [message.role for message in desk.models.conversation.history] == ["user"]


def test_retry_sends_the_same_turn_with_the_same_pictures(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("fail-first")
    desk.models.composer.set_thinking(True)
    desk.models.composer.attach([draw()])
    say(desk, "read")
    wait_for_end(qtbot, desk)
    desk.models.composer.set_thinking(False)
    last_view(desk).retry_button.click()
    answer = wait_for_end(qtbot, desk)
    assert answer.text == "user:read [thinking, as advised]"
    assert not last_view(desk).error.isVisible()
    assert len(desk.models.conversation.turns) == 2


def test_only_the_last_answer_offers_a_retry(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fail")
    say(desk, "one")
    wait_for_end(qtbot, desk)
    first = last_view(desk)
    say(desk, "two")
    wait_for_end(qtbot, desk)
    assert not first.retry_button.isVisible()
    assert last_view(desk).retry_button.isVisible()


@pytest.mark.parametrize("scenario", ["crash-once", "garbage-once"])
def test_an_engine_that_dies_in_mid_reply_leaves_a_note_and_a_usable_window(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, scenario: str
) -> None:
    desk = open_desk(scenario)
    say(desk, "hello")
    desk.window.composer.editor.setPlainText("my next draft")
    desk.models.composer.attach([draw()])
    answer = wait_for_end(qtbot, desk)
    assert answer.state is AnswerState.FAILED
    assert answer.text == "I was just about to"
    assert "stopped unexpectedly" in last_view(desk).error_text.text()
    assert desk.models.composer.text == "my next draft"
    assert len(desk.models.composer.pictures) == 1
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    last_view(desk).retry_button.click()
    qtbot.waitUntil(lambda: len(answer.text) > 60, timeout=WAIT_MS)
    assert answer is last_answer(desk)
    desk.models.conversation.stop()


def test_a_model_that_cannot_be_loaded_is_told_with_a_way_on(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("no-model", is_ready=False)
    qtbot.waitUntil(lambda: bool(desk.models.model.failure), timeout=WAIT_MS)
    assert desk.window.failure.isVisible()
    assert "There is no model in" in desk.window.failure.text.text()
    assert desk.models.status.state == "Not loaded"
    assert desk.models.status.mood is Mood.BROKEN


def test_a_hanging_engine_still_stops_for_the_person_and_closes_in_time(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("hang")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: answer.text == "One word")
    desk.models.conversation.stop()
    assert answer.note == "Stopped"
    began = time.monotonic()
    desk.close()
    assert time.monotonic() - began < 5


def test_another_model_can_be_chosen(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = open_desk("echo")
    folder = tmp_path_factory.mktemp("models") / "gemma-4-E2B-it"
    desk.models.model.load(folder)
    assert desk.models.status.model_name == "gemma-4-E2B-it"
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert desk.models.status.hint == ""
    desk.window.commands.use_sample.trigger()
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert desk.models.status.model_name == "Sample model"
