"""The context meter: what the draft costs, how full the context is, and when it warns (D-10)."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.text.receipts import about_seconds, about_tokens
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    drop,
    files,
    say,
    send,
    wait_for_end,
)
from tests.app.test_draft import load


def test_the_cost_of_a_draft_is_told_while_it_is_written(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    view = desk.window.composer
    load(desk, "text", "picture", is_sample=True)
    assert view.cost.text() == ""
    assert view.ring.isVisible()
    drop(desk, files([draw("photo.png", 1600, 900)]))
    assert view.cost.text() == "264 tokens"
    qtbot.keyClicks(view.editor, "seven c")
    assert view.cost.text() == "266 tokens"
    assert "About 266 of 8,192 tokens (3%)" in view.ring.accessibleDescription()
    desk.models.composer.remove_all()
    desk.models.composer.replace_text("")
    assert view.cost.text() == ""


def test_time_is_predicted_from_what_was_measured_in_this_session(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("echo")
    meter = desk.models.composer.meter
    drop(desk, files([draw("a.png", 1600, 900)]))
    assert meter.line == "264 tokens", "nothing is measured yet"
    assert desk.models.composer.pictures[0].cost_at(280) == "264 tokens · 1056 × 576, shrunk to 66 %"
    send(desk)
    wait_for_end(qtbot, desk)
    drop(desk, files([draw("b.png", 1600, 900)]))
    assert meter.line == "264 tokens · 0.4 s"  # 84.2 ms of seeing, 264 tokens at 900 a second
    assert desk.models.composer.pictures[0].cost_at(280) == "264 tokens · 1056 × 576, shrunk to 66 % · 0.4 s"
    desk.models.composer.set_budget_of_all(70)
    assert meter.line == "66 tokens · 0.1 s"
    desk.models.composer.replace_text("x" * 1_000)
    assert " · " in meter.line
    desk.models.composer.replace_text("x" * 10_000)
    assert meter.line.endswith(" tokens"), "what so much takes is not known from an answer to so little"
    desk.models.composer.replace_text("")
    desk.models.model.load(tmp_path / "another")
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert meter.line.endswith(" tokens"), "another model has another speed"


def test_a_long_time_is_told_in_minutes_and_hours() -> None:
    told = [about_seconds(seconds) for seconds in (0.4, 12.1, 90, 91, 414, 5400, 7000)]
    assert told == ["0.4 s", "13 s", "90 s", "2 min", "7 min", "90 min", "2 h"]


def test_an_estimate_is_told_in_two_digits_and_what_is_counted_exactly() -> None:
    assert [about_tokens(each) for each in (2, 99, 637, 44_001, 1_050_000)] == [
        "2", "99", "640", "44,000", "1,100,000",
    ]  # fmt: skip
    assert about_tokens(264, 0) == "264"
    assert about_tokens(264 + 44_001, 44_001) == "44,000"


def test_tokens_of_text_are_predicted_as_the_last_turns_were_counted(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("spelled")
    composer, meter = desk.models.composer, desk.models.composer.meter
    (tmp_path / "notes.txt").write_text("y" * 350)
    composer.replace_text("x" * 700)
    assert meter.line == "200 tokens", "the usual 3.5 characters"
    send(desk)
    wait_for_end(qtbot, desk)
    composer.replace_text("x" * 700)
    assert meter.line.startswith("640 tokens"), "the first guess still counts a little"
    attach(desk, tmp_path / "notes.txt")
    send(desk)
    wait_for_end(qtbot, desk)
    attach(desk, tmp_path / "notes.txt")
    assert composer.items[0].cost == "about 350 tokens"
    desk.models.model.load(tmp_path / "another")
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert composer.items[0].cost == "about 100 tokens", "another model has other tokens"
    assert meter.line == "100 tokens"
    desk.models.model.load_sample()
    qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
    assert meter.line.startswith("350 tokens · "), "what was measured is remembered"


def test_the_sample_is_expected_to_spell(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(is_real=True)
    question = "What does the sign in the picture say?"
    desk.models.composer.replace_text(question)
    predicted = int(desk.models.composer.meter.line.split()[0])
    send(desk)
    answer = wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: answer.stats is not None, timeout=WAIT_MS)  # those of an answer that declines come later
    stats = answer.stats
    assert stats is not None
    assert 0.7 * stats.num_prompt_tokens < predicted <= stats.num_prompt_tokens


def test_a_conversation_counts_from_its_last_answer(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("echo")
    meter = desk.models.composer.meter
    say(desk, "one")
    wait_for_end(qtbot, desk)
    assert meter.used_tokens == 0, "the sample is told the newest message only"
    desk.models.model.load(tmp_path / "full")
    qtbot.waitUntil(lambda: desk.models.model.is_ready and not desk.models.model.is_built_in, timeout=WAIT_MS)
    assert meter.used_tokens == 121  # of the prompt and of the answer
    desk.window.commands["new"].trigger()
    assert meter.used_tokens == 0


def test_a_sentence_warns_before_the_context_is_full(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    load(desk, "text", context_length=1000)
    composer, warning = desk.models.composer, desk.window.composer.warning
    composer.replace_text("x" * 2900)
    assert warning.isHidden()
    composer.replace_text("x" * 3150)
    assert warning.isVisible()
    assert warning.text() == "With this the model’s context is 90% full. Start a new conversation soon."
    composer.replace_text("x" * 3600)
    assert warning.text().startswith("This is more than the model can hold.")
    composer.replace_text("")
    assert warning.isHidden()
