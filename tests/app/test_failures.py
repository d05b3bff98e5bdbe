"""What happens when the engine fails, dies, babbles or hangs: a sentence, a way on, and nothing lost."""

import os
import signal
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.conversation.examples import EXAMPLES
from app.viewmodels.conversation.turns import AnswerState
from app.viewmodels.models.model import ModelState
from app.viewmodels.models.status import Mood
from engine import Cancel, Envelope, LoadModel, ModelLoaded, Request
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    answer_view,
    attach,
    last_answer,
    let_files_be_read,
    say,
    wait_for_end,
)


def test_a_failure_is_one_sentence_with_a_retry(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fail")
    say(desk, "too long")
    answer = wait_for_end(qtbot, desk)
    view = answer_view(desk)
    assert answer.state is AnswerState.FAILED
    assert view.error_text.text() == "This conversation needs 9,000 tokens and the model can hold 8,192."
    assert view.retry_button.isVisible()
    assert view.text_view.toPlainText() == "I begin"
    assert [message.role for message in desk.models.conversation.history] == ["user"]


def test_retry_sends_the_same_turn_with_the_same_pictures(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("fail-first")
    desk.models.composer.set_thinking(True)
    attach(desk, draw())
    say(desk, "read")
    wait_for_end(qtbot, desk)
    desk.models.composer.set_thinking(False)
    answer_view(desk).retry_button.click()
    answer = wait_for_end(qtbot, desk)
    assert answer.text == "user:read [thinking, as advised]"
    assert not answer_view(desk).error.isVisible()
    assert len(desk.models.conversation.turns) == 2


def test_only_the_last_answer_offers_a_retry(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fail")
    say(desk, "one")
    wait_for_end(qtbot, desk)
    first = answer_view(desk)
    say(desk, "two")
    wait_for_end(qtbot, desk)
    assert not first.retry_button.isVisible()
    assert answer_view(desk).retry_button.isVisible()


@pytest.mark.tour
def test_an_engine_killed_twenty_times_in_mid_reply_costs_nothing_that_was_said(
    open_desk: OpenDesk, qtbot: QtBot
) -> None:
    desk = open_desk("slow")
    said = []
    for number in range(20):
        said.append(f"question {number}")
        answer = say(desk, said[-1])
        qtbot.waitUntil(lambda answer=answer: len(answer.text) > 12, timeout=WAIT_MS)
        os.kill(engine_of(desk), signal.SIGKILL)
        qtbot.waitUntil(lambda answer=answer: answer.state is AnswerState.FAILED, timeout=WAIT_MS)
        assert answer.text.startswith("Paragraph 1")
    desk.close()
    again = open_desk("echo")
    qtbot.waitUntil(lambda: len(again.models.conversation.turns) == 40, timeout=WAIT_MS)
    assert [turn.text for turn in again.models.conversation.turns[0::2]] == said
    assert all(turn.text.startswith("Paragraph 1") for turn in again.models.conversation.turns[1::2])


def engine_of(desk: Desk) -> int:
    """The process id of the engine."""
    child = desk.bridge._client._child
    assert child is not None
    return child.pid


@pytest.mark.parametrize("scenario", ["crash-once", "garbage-once"])
def test_an_engine_that_dies_in_mid_reply_leaves_a_note_and_a_usable_window(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, scenario: str
) -> None:
    desk = open_desk(scenario)
    say(desk, "hello")
    desk.window.composer.editor.setPlainText("my next draft")
    attach(desk, draw())
    answer = wait_for_end(qtbot, desk)
    assert answer.state is AnswerState.FAILED
    assert answer.text == "I was just about to"
    happened = {"crash-once": "ended with an error", "garbage-once": "no longer answered as it should"}[scenario]
    assert happened in answer_view(desk).error_text.text()
    assert desk.models.composer.text == "my next draft"
    assert len(desk.models.composer.pictures) == 1
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    answer_view(desk).retry_button.click()
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


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("wrong", "“wrong” cannot be loaded, so the sample model stays: There is no model in it."),
        ("damaged", "“damaged” cannot be loaded, so the sample model is loaded again: A tensor cannot be read."),
        (
            "deadly",
            "“deadly” cannot be loaded, so the sample model is loaded again: While loading the model, the engine",
        ),
    ],
)
def test_a_choice_that_cannot_be_loaded_costs_nobody_the_model(
    name: str, told: str, open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("echo")
    model, window = desk.models.model, desk.window
    model.load(tmp_path / name)
    say(desk, "meanwhile")
    assert wait_for_end(qtbot, desk).text.startswith("user:meanwhile")
    assert (model.state, model.name) == (ModelState.READY, "Sample model")
    assert window.refusal.text.text().startswith(told)
    assert window.failure.isHidden()
    window.refusal.dismiss_button.click()
    assert window.refusal.isHidden()


def test_a_model_that_is_lost_with_a_failed_choice_is_a_failure(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("echo")
    desk.models.model.load(tmp_path / "full")
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    desk.models.model._path = tmp_path / "wrong"
    client = desk.bridge._client
    client._model = LoadModel(client._model.request_id, str(tmp_path / "wrong")) if client._model else None
    desk.models.model.load(tmp_path / "damaged")
    qtbot.waitUntil(lambda: desk.models.model.state is ModelState.FAILED, timeout=WAIT_MS)
    assert desk.window.failure.text.text() == "There is no model in it."
    assert desk.window.refusal.isHidden()


def test_a_hanging_engine_still_stops_for_the_person_and_closes_in_time(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("hang")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: answer.text == "One word", timeout=WAIT_MS)
    desk.models.conversation.stop()
    assert answer.note == "Stopped"
    began = time.monotonic()
    desk.close()
    assert time.monotonic() - began < WAIT_MS / 1000, "it waited for an engine that never ends"


def test_another_model_can_be_chosen(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = open_desk("echo")
    folder = tmp_path_factory.mktemp("models") / "gemma-4-E2B-it"
    desk.models.model.load(folder)
    assert desk.models.status.model_name == "gemma-4-E2B-it"
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert desk.models.status.hint == ""
    desk.window.commands["use_sample"].trigger()
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert desk.models.status.model_name == "Sample model"


def test_a_picture_that_was_moved_after_sending_can_still_be_talked_about(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk("echo")
    original = draw()
    attach(desk, original)
    say(desk, "one")
    wait_for_end(qtbot, desk)
    (sent,) = desk.models.conversation.history[0].pictures
    assert Path(sent.path).name == original.name
    original.unlink()
    assert Path(sent.path).exists()


def test_a_turn_that_failed_and_was_passed_over_is_not_said_again(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fail")
    say(desk, "too long")
    wait_for_end(qtbot, desk)
    assert [message.text for message in desk.models.conversation.history] == ["too long"]
    say(desk, "short")
    assert [message.text for message in desk.models.conversation.history] == ["short"]
    wait_for_end(qtbot, desk)


def test_choosing_another_model_stops_the_load_under_way(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("fast")
    sent: list[Request] = []
    monkeypatch.setattr(desk.bridge, "submit", sent.append)
    desk.models.model.load(tmp_path / "first")
    desk.models.model.load(tmp_path / "second")
    assert [type(request) for request in sent] == [LoadModel, Cancel, LoadModel]
    assert isinstance(sent[0], LoadModel)
    assert sent[1] == Cancel(sent[0].request_id)


def test_a_model_chosen_as_the_one_before_gets_ready_is_heard_too(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("fast")
    model, info = desk.models.model, desk.models.model.info
    assert info is not None
    sent: list[Request] = []
    monkeypatch.setattr(desk.bridge, "submit", sent.append)
    model.load(tmp_path / "first")
    model.load(tmp_path / "second")
    for request in [each for each in sent if isinstance(each, LoadModel)]:  # the Cancel came too late
        desk.bridge._hear(Envelope(request.request_id, ModelLoaded(info, 1.0)))
    qtbot.waitUntil(lambda: model.is_ready, timeout=WAIT_MS)


def test_an_idle_engine_that_dies_is_shown_at_once(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fast")
    states: list[ModelState] = []
    desk.models.model.changed.connect(lambda: states.append(desk.models.model.state))
    child = desk.bridge._client._child
    assert child is not None
    child.kill()
    qtbot.waitUntil(lambda: desk.models.model.is_ready and ModelState.STOPPED in states, timeout=WAIT_MS)


def test_an_example_leaves_words_that_are_there_already(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    desk.models.composer.replace_text("my own words")
    desk.window.messages.example_chosen.emit(EXAMPLES[1])
    let_files_be_read(desk)
    assert desk.models.composer.text == "my own words"
    assert len(desk.models.composer.pictures) == 1


def test_an_answer_names_the_model_that_gave_it(open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    name = desk.models.model.name
    desk.models.model.load(tmp_path / "damaged")
    assert say(desk, "hi").model == "damaged"
    answer = wait_for_end(qtbot, desk)
    assert (answer.text.startswith("user:hi"), answer.model) == (True, name)
