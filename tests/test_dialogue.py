"""Thinking, tools and forms of answers through the whole engine; what the model writes is written for it here."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from PIL import Image

from engine.agent.loop import respond
from engine.agent.tools import ToolError, ToolOutcome
from engine.engine import Engine
from engine.generation.constraint import Constraint
from engine.prompt.builder import build_prompt
from engine.protocol.errors import PromptError
from engine.protocol.events import (
    Event,
    Finished,
    Logprobs,
    PromptReady,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
)
from engine.protocol.messages import Message, Picture, Sound, Text, ToolCall, ToolResult, user
from engine.protocol.options import GREEDY, AnyJson, JsonSchema, NamedTool, Options, Regex, Sampling
from engine.protocol.tools import Tool
from engine.tokens.special_tokens import STOP_TOKEN_IDS, Special
from tests.prompt.golden import CANONICAL

CLOCK = Tool(
    "clock",
    "Tells the time.",
    {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
)
THINKING = Options(GREEDY, thinking=True)
TOOLS = Options(GREEDY, tools=(CLOCK,))
END = int(Special.END_TURN)

Script = Sequence[str | int]


@pytest.fixture
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


@pytest.fixture
def written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the model write these texts and tokens, one script for each of its turns; the last token goes on."""

    def write(*scripts: Script) -> None:
        turns = iter(scripts)

        class Scripted:
            def __init__(self, *_: object) -> None:
                self._ids = _token_ids(engine, next(turns))
                self._last = END

            def __call__(self, logits: mx.array, forced: int | None, allowed: mx.array | None) -> mx.array:
                if forced is None:
                    self._last = next(self._ids, self._last)
                    forced = self._last
                return mx.array([forced], mx.int32)

        monkeypatch.setattr("engine.engine.Sampler", Scripted)

    return write


def _token_ids(engine: Engine, script: Script) -> Iterator[int]:
    for piece in script:
        yield from [int(piece)] if isinstance(piece, int) else engine._tokenizer.encode(piece)


def call(zone: str = "Oslo", name: str = "clock") -> list[str | int]:
    quote = int(Special.STRING_QUOTE)
    return [
        int(Special.BEGIN_TOOL_CALL), f"call:{name}{{zone:", quote, zone, quote, "}", int(Special.END_TOOL_CALL),
        int(Special.BEGIN_TOOL_RESPONSE),
    ]  # fmt: skip


def thought(text: str) -> list[str | int]:
    return [int(Special.BEGIN_CHANNEL), f"thought\n{text}"]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thought_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThoughtDelta))


def only(kind: type[Any], events: list[Event]) -> Any:
    (event,) = [event for event in events if isinstance(event, kind)]
    return event


def reason(events: list[Event]) -> str:
    found: str = only(Finished, events).reason
    return found


class TestThinking:
    def test_TH_7_a_budget_closes_the_thought_and_says_so(self, engine: Engine, written: Callable[..., None]) -> None:
        written([*thought("z" * 40), "never", END])
        options = Options(GREEDY, thinking=True, thinking_budget=20)
        events = list(engine.respond([user("?")], options))
        ended = only(ThoughtFinished, events)
        assert ended.ended_by == "budget"
        assert 20 <= ended.num_tokens <= 21
        assert 0 < len(thought_of(events)) < 40

    def test_a_thought_within_its_budget_is_the_models_own(self, engine: Engine, written: Callable[..., None]) -> None:
        written([*thought("zzz"), int(Special.END_CHANNEL), "yes", END])
        events = list(engine.respond([user("?")], THINKING))
        assert only(ThoughtFinished, events).ended_by == "model"
        assert (thought_of(events), text_of(events)) == ("zzz", "yes")

    def test_TH_8_a_thought_is_closed_behind_a_whole_character(
        self, engine: Engine, written: Callable[..., None]
    ) -> None:
        written([*thought("日" * 30), END])  # the tiny tokenizer spells it in three bytes
        for budget in range(4, 12):
            events = list(engine.respond([user("?")], Options(GREEDY, thinking=True, thinking_budget=budget)))
            assert set(thought_of(events)) <= {"日"}
            assert only(ThoughtFinished, events).ended_by == "budget"
            written([*thought("日" * 30), END])

    def test_answer_now_closes_the_thought(self, engine: Engine, written: Callable[..., None]) -> None:
        written([*thought("z" * 50), END])
        heard: list[Event] = []
        for event in engine.respond([user("?")], THINKING, answer_now=lambda: len(thought_of(heard)) >= 10):
            heard.append(event)
        assert only(ThoughtFinished, heard).ended_by == "answer_now"
        assert 10 <= len(thought_of(heard)) <= 12
        assert reason(heard) == "end_of_turn"

    @pytest.mark.parametrize("is_open", [False, True])
    def test_a_budget_of_nothing_closes_a_thought_at_once_and_says_so(
        self, engine: Engine, written: Callable[..., None], is_open: bool
    ) -> None:
        messages = [user("?"), Message("assistant", (), "Hm.")] if is_open else [user("?")]
        written(["yes", END] if is_open else [int(Special.BEGIN_CHANNEL), "yes", END])
        events = list(engine.respond(messages, Options(GREEDY, thinking=True, thinking_budget=0, continues=is_open)))
        assert only(ThoughtStarted, events)
        ended = only(ThoughtFinished, events)
        assert (ended.ended_by, ended.num_tokens) == ("budget", 0)
        assert (thought_of(events), text_of(events)) == ("", "yes")

    def test_answer_now_holds_for_one_turn_of_the_model(self, engine: Engine, written: Callable[..., None]) -> None:
        """Asked for while nothing is written yet; after the results of tools the model thinks again."""
        written([int(Special.BEGIN_CHANNEL), *call()], [*thought("zz"), int(Special.END_CHANNEL), "Noon.", END])
        asked = iter([True])
        events = list(
            respond(
                engine,
                [user("?")],
                Options(GREEDY, thinking=True, tools=(CLOCK,)),
                answer_now=lambda: next(asked, False),
                execute=Recorder(),
            )
        )
        ends = [(event.ended_by, event.num_tokens) for event in events if isinstance(event, ThoughtFinished)]
        assert ends[0] == ("answer_now", 0)
        assert [ended_by for ended_by, _ in ends] == ["answer_now", "model"]
        assert (thought_of(events), text_of(events)) == ("zz", "Noon.")

    @pytest.mark.tour
    def test_TH_9_a_thought_that_repeats_itself_is_closed(self, engine: Engine, written: Callable[..., None]) -> None:
        written([*thought("round and round. " * 80), "Enough.", END])
        events = list(engine.respond([user("?")], THINKING))
        assert only(ThoughtFinished, events).ended_by == "loop"
        assert text_of(events).endswith("Enough.")
        assert reason(events) == "end_of_turn"

    @pytest.mark.tour
    def test_an_answer_that_repeats_itself_ends_and_says_so(self, engine: Engine, written: Callable[..., None]) -> None:
        written(["round and round. " * 200])
        assert reason(list(engine.respond([user("?")], Options(GREEDY)))) == "loop"

    def test_TH_12_a_thought_does_not_count_as_answer(self, engine: Engine, written: Callable[..., None]) -> None:
        written([*thought("z" * 30), int(Special.END_CHANNEL), "a" * 30])
        events = list(engine.respond([user("?")], Options(GREEDY, thinking=True, max_new_tokens=5)))
        assert len(thought_of(events)) == 30
        assert text_of(events) == "a" * 5
        assert reason(events) == "length"

    def test_TH_5_a_marker_written_again_and_again_counts_as_answer(
        self, engine: Engine, written: Callable[..., None]
    ) -> None:
        written([*thought("z"), int(Special.END_CHANNEL), "a", int(Special.END_CHANNEL)])
        events = list(engine.respond([user("?")], Options(GREEDY, thinking=True, max_new_tokens=5)))
        assert (text_of(events), reason(events)) == ("a", "length")

    def test_a_thought_that_was_closed_for_it_is_not_opened_again(self, engine: Engine) -> None:
        """The tiny model writes anything; after the close it may not write the opening marker."""
        options = Options(Sampling(seed=1, logit_bias={int(Special.BEGIN_CHANNEL): 100.0}), thinking=True)
        limited = Options(options.sampling, thinking=True, thinking_budget=3, max_new_tokens=40)
        events = list(engine.respond([user("?")], limited))
        assert len([event for event in events if isinstance(event, ThoughtFinished)]) <= 1
        assert only(Finished, events).stats.num_new_tokens < 60


class TestStopping:
    def test_ST_a_stop_string_ends_the_answer_before_itself(self, engine: Engine, written: Callable[..., None]) -> None:
        written(["one two STOP three", END])
        events = list(engine.respond([user("?")], Options(GREEDY, stop=("STOP",))))
        assert text_of(events) == "one two "
        assert reason(events) == "stop_string"

    def test_TH_13_the_beginning_of_a_stop_string_is_not_lost(
        self, engine: Engine, written: Callable[..., None]
    ) -> None:
        written(["one two STO", END])
        events = list(engine.respond([user("?")], Options(GREEDY, stop=("STOP",))))
        assert text_of(events) == "one two STO"
        assert reason(events) == "end_of_turn"

    def test_log_probabilities_come_with_each_token_of_the_answer(
        self, engine: Engine, written: Callable[..., None]
    ) -> None:
        written([*thought("zz"), int(Special.END_CHANNEL), "abc", END])
        events = list(engine.respond([user("?")], Options(GREEDY, thinking=True, num_logprobs=4)))
        found = [event for event in events if isinstance(event, Logprobs)]
        assert [each.chosen.text for each in found] == ["a", "b", "c", ""]
        for each in found:
            values = [top.logprob for top in each.top]
            assert len(values) == 4
            assert values == sorted(values, reverse=True)
            assert each.chosen.logprob <= values[0] <= 0


def drawn(path: Path) -> Picture:
    Image.effect_noise((96, 96), 50).save(path)
    return Picture(str(path))


class Recorder:
    """Runs calls and remembers them."""

    def __init__(self, content: Any = None) -> None:
        self.calls: list[ToolCall] = []
        self._content = {"time": "12:00"} if content is None else content

    def __call__(self, call: ToolCall, stop: threading.Event) -> ToolOutcome:
        self.calls.append(call)
        return ToolOutcome(self._content)


class TestTools:
    def test_a_call_is_run_and_the_answer_uses_its_result(self, engine: Engine, written: Callable[..., None]) -> None:
        written(call(), ["Noon.", END])
        clock = Recorder()
        events = list(respond(engine, [user("How late?")], TOOLS, execute=clock))
        assert clock.calls == [ToolCall("clock", {"zone": "Oslo"}, "call_1")]
        assert only(ToolFinished, events).result == ToolResult({"time": "12:00"}, "call_1", "clock")
        assert text_of(events) == "Noon."
        assert reason(events) == "end_of_turn"

    def test_the_second_round_reads_what_the_first_one_gave(
        self, engine: Engine, written: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prompts: list[tuple[int, ...]] = []

        def spy(*arguments: Any) -> Any:
            prompt = build_prompt(*arguments)
            prompts.append(prompt.token_ids)
            return prompt

        monkeypatch.setattr("engine.engine.build_prompt", spy)
        written(call("Oslo"), call("Rome"), ["Later.", END])
        events = list(respond(engine, [user("How late?")], TOOLS, execute=Recorder()))
        assert [event.call.id for event in events if isinstance(event, ToolCalled)] == ["call_1", "call_2"]
        first, second, third = prompts
        assert second[: len(first)] == first
        assert third[: len(second)] == second
        assert third.count(Special.BEGIN_TOOL_RESPONSE) == 2
        cached = [event.num_cached_tokens for event in events if isinstance(event, PromptReady)]
        assert cached[1] >= len(first)
        assert cached[2] >= len(second)

    def test_without_anybody_to_run_them_the_calls_are_handed_over(
        self, engine: Engine, written: Callable[..., None]
    ) -> None:
        written(["Let me look. ", *call()])
        events = list(engine.respond([user("How late?")], TOOLS))
        assert text_of(events) == "Let me look. "
        assert only(ToolCalled, events).call.arguments == {"zone": "Oslo"}
        assert reason(events) == "tool_calls"

    def test_a_call_that_cannot_be_read_is_not_run_and_the_model_is_told(
        self, engine: Engine, written: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its grammar would keep the model from writing this one."""
        monkeypatch.setattr("engine.generation.constraint.Constraint.advance", lambda self, token: None)
        broken = [int(Special.BEGIN_TOOL_CALL), "call:clock{]", int(Special.END_TOOL_CALL), int(Special.END_TURN)]
        written(broken, ["Sorry.", END])
        clock = Recorder()
        events = list(respond(engine, [user("How late?")], TOOLS, execute=clock))
        assert clock.calls == []
        refused, finished = only(ToolCallRefused, events), only(ToolFinished, events)
        assert finished.failed
        assert finished.result == ToolResult({"error": refused.message}, refused.call.id, "clock")
        assert refused.call.id == "call_1"
        assert text_of(events) == "Sorry."

    @pytest.mark.parametrize(
        "options",
        [
            Options(GREEDY, thinking=True, tools=(CLOCK,)),
            Options(GREEDY, thinking=True, tools=(CLOCK,), format=Regex("(yes|no)")),
            Options(GREEDY, thinking=True, tools=(CLOCK,), tool_choice="required"),
            Options(GREEDY, thinking=True, tools=(CLOCK,), tool_choice=NamedTool("clock"), format=AnyJson()),
        ],
    )
    def test_a_call_that_begins_in_a_thought_is_held_to_its_grammar(
        self, engine: Engine, written: Callable[..., None], monkeypatch: pytest.MonkeyPatch, options: Options
    ) -> None:
        advanced: list[int] = []
        advance = Constraint.advance

        def spy(self: Constraint, token: int) -> None:
            advanced.append(token)
            advance(self, token)

        monkeypatch.setattr(Constraint, "advance", spy)
        written([*thought("I need the time."), *call()])
        events = list(engine.respond([user("?")], options))
        assert only(ToolCalled, events).call.arguments == {"zone": "Oslo"}
        assert only(ThoughtFinished, events).ended_by == "model"
        assert reason(events) == "tool_calls"
        assert Special.END_TOOL_CALL in advanced

    def test_what_a_tool_raises_is_its_result(self, engine: Engine, written: Callable[..., None]) -> None:
        def fails(call: ToolCall, stop: threading.Event) -> ToolOutcome:
            raise ToolError("The clock has stopped.")

        written(call(), ["Unknown.", END])
        events = list(respond(engine, [user("How late?")], TOOLS, execute=fails))
        finished = only(ToolFinished, events)
        assert finished.failed
        assert finished.result.content == {"error": "The clock has stopped."}
        assert reason(events) == "end_of_turn"

    def test_a_bug_in_a_tool_is_its_result_too(self, engine: Engine, written: Callable[..., None]) -> None:
        written(call(), ["Unknown.", END])
        events = list(respond(engine, [user("?")], TOOLS, execute=lambda call, stop: ToolOutcome(1 // 0)))
        assert "ZeroDivisionError" in only(ToolFinished, events).result.content["error"]

    def test_a_tool_that_ends_its_thread_has_failed(self, engine: Engine, written: Callable[..., None]) -> None:
        def leaves(call: ToolCall, stop: threading.Event) -> ToolOutcome:
            raise SystemExit(3)

        written(call(), ["Unknown.", END])
        events = list(respond(engine, [user("?")], Options(GREEDY, tools=(CLOCK,), tool_timeout_s=240), execute=leaves))
        assert only(ToolFinished, events).result.content == {"error": "SystemExit: 3"}

    @pytest.mark.parametrize(
        "content", [{1: "a"}, b"x", [object()], 10**5000], ids=["keys", "bytes", "object", "digits"]
    )
    def test_a_result_that_no_prompt_can_hold_is_the_tools_failure(
        self, engine: Engine, written: Callable[..., None], content: Any
    ) -> None:
        written(call(), ["Unknown.", END])
        events = list(respond(engine, [user("?")], TOOLS, execute=Recorder(content)))
        assert only(ToolFinished, events).failed
        assert "result of a tool" in only(ToolFinished, events).result.content["error"]
        assert text_of(events) == "Unknown."

    def test_a_file_name_that_is_not_unicode_can_be_told(self, engine: Engine, written: Callable[..., None]) -> None:
        written(call(), ["Done.", END])
        events = list(respond(engine, [user("?")], TOOLS, execute=Recorder(["caf\udce9"])))
        assert text_of(events) == "Done."

    def test_a_picture_of_a_tool_is_told_of_and_seen(
        self, engine: Engine, written: Callable[..., None], tmp_path: Path
    ) -> None:
        picture = drawn(tmp_path / "plot.png")
        written(call(), ["A line.", END])
        events = list(respond(engine, [user("?")], TOOLS, execute=lambda call, stop: ToolOutcome("Drawn.", (picture,))))
        assert only(ToolFinished, events).media == (picture,)
        assert [len(event.pictures) for event in events if isinstance(event, PromptReady)] == [0, 1]
        assert text_of(events) == "A line."

    @pytest.mark.parametrize("bad", ["cut.png", "gone.png", "sound.wav"])
    def test_a_file_of_a_tool_that_cannot_be_taken_is_its_failure(
        self, engine: Engine, written: Callable[..., None], tmp_path: Path, bad: str
    ) -> None:
        whole = Path(drawn(tmp_path / "whole.png").path).read_bytes()
        (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
        given = Sound("sound.wav") if bad == "sound.wav" else Picture(str(tmp_path / bad))
        written(call(), ["Sorry.", END])
        events = list(respond(engine, [user("?")], TOOLS, execute=lambda call, stop: ToolOutcome("Drawn.", (given,))))
        finished = only(ToolFinished, events)
        assert (finished.failed, finished.media) == (True, ())
        assert ("cannot hear" if bad == "sound.wav" else bad) in finished.result.content["error"]
        assert (text_of(events), reason(events)) == ("Sorry.", "end_of_turn")

    def test_a_slow_tool_is_given_up(self, engine: Engine, written: Callable[..., None]) -> None:
        released = threading.Event()

        def slow(call: ToolCall, stop: threading.Event) -> ToolOutcome:
            released.wait(240)
            return ToolOutcome(None)

        written(call(), ["Unknown.", END])
        options = Options(GREEDY, tools=(CLOCK,), tool_timeout_s=0.1)
        events = list(respond(engine, [user("?")], options, execute=slow))
        released.set()
        assert "longer than 0.1 seconds" in only(ToolFinished, events).result.content["error"]

    def test_cancel_is_heard_while_a_tool_runs(self, engine: Engine, written: Callable[..., None]) -> None:
        released, begun = threading.Event(), threading.Event()

        def slow(call: ToolCall, stop: threading.Event) -> ToolOutcome:
            begun.set()
            released.wait(240)
            return ToolOutcome(None)

        written(call(), ["never", END])
        events = list(respond(engine, [user("?")], TOOLS, begun.is_set, execute=slow))
        released.set()
        assert reason(events) == "cancelled"
        assert not [event for event in events if isinstance(event, ToolFinished)]

    def test_TC_8_the_same_call_three_times_ends_the_answer(self, engine: Engine, written: Callable[..., None]) -> None:
        written(*[call()] * 5)
        clock = Recorder()
        events = list(respond(engine, [user("?")], TOOLS, execute=clock))
        assert len(clock.calls) == 2
        assert reason(events) == "tool_rounds"

    def test_rounds_are_limited(self, engine: Engine, written: Callable[..., None]) -> None:
        written(*[call(f"Zone {number}") for number in range(9)])
        clock = Recorder()
        events = list(respond(engine, [user("?")], Options(GREEDY, tools=(CLOCK,), max_tool_rounds=3), execute=clock))
        assert len(clock.calls) == 3
        assert reason(events) == "tool_rounds"

    def test_several_calls_in_a_turn_are_run_in_order(self, engine: Engine, written: Callable[..., None]) -> None:
        written([*call("Oslo")[:-1], *call("Rome")], ["Done.", END])
        clock = Recorder()
        list(respond(engine, [user("?")], TOOLS, execute=clock))
        assert [call.arguments["zone"] for call in clock.calls] == ["Oslo", "Rome"]

    def test_none_keeps_the_model_from_calling(self, engine: Engine) -> None:
        """The tiny model would write the marker whenever it may."""
        eager = Sampling(seed=2, logit_bias={int(Special.BEGIN_TOOL_CALL): 100.0})
        options = Options(eager, tools=(CLOCK,), tool_choice="none", max_new_tokens=20)
        list(engine.respond([user("?")], options))
        assert Special.BEGIN_TOOL_CALL not in engine.sessions._states[-1].keys

    @pytest.mark.parametrize("choice", ["required", NamedTool("clock")])
    def test_TC_6_a_required_call_is_made_and_can_be_read(self, engine: Engine, choice: Any) -> None:
        """A random model, so only the grammar can make it do so; strings of its own may run to the limit."""
        short = {"type": "object", "properties": {"zone": {"enum": ["Oslo", "Rome"]}}, "required": ["zone"]}
        for seed in range(5):
            options = Options(
                Sampling(seed=seed), tools=(Tool("clock", "", short),), tool_choice=choice, max_new_tokens=60
            )
            events = list(engine.respond([user("?")], options))
            calls = [event.call for event in events if isinstance(event, ToolCalled)]
            assert calls, events
            assert {call.arguments["zone"] for call in calls} <= {"Oslo", "Rome"}
            assert text_of(events) == ""

    @pytest.mark.parametrize(
        ("tools", "choice"), [((CLOCK,), NamedTool("calendar")), ((), NamedTool("calendar")), ((), "required")]
    )
    def test_a_tool_that_is_not_there_cannot_be_required(self, engine: Engine, tools: Any, choice: Any) -> None:
        events = engine.respond([user("?")], Options(GREEDY, tools=tools, tool_choice=choice))
        with pytest.raises(PromptError, match="There is no tool"):
            next(events)

    def test_two_tools_of_one_name_are_refused_before_anything_is_computed(self, engine: Engine) -> None:
        with pytest.raises(PromptError, match="Two tools are called 'clock'"):
            next(engine.respond([user("?")], Options(GREEDY, tools=(CLOCK, Tool("clock", "Another.")))))


class TestForms:
    @pytest.mark.parametrize("seed", range(5))
    def test_an_answer_has_the_form_or_says_that_it_was_cut(self, engine: Engine, seed: int) -> None:
        schema = {
            "type": "object",
            "properties": {"name": {"type": "string", "maxLength": 6}, "count": {"type": "integer", "maximum": 99}},
            "required": ["name", "count"],
            "additionalProperties": False,
        }
        options = Options(Sampling(seed=seed), format=JsonSchema(schema), max_new_tokens=80)
        events = list(engine.respond([user("?")], options))
        if reason(events) == "end_of_turn":
            answer = json.loads(text_of(events))
            assert set(answer) == {"name", "count"}
            assert answer["count"] <= 99
        else:
            assert reason(events) == "length"

    def test_JS_3_a_thought_before_a_form_is_free(self, engine: Engine) -> None:
        eager = Sampling(seed=3, logit_bias={int(Special.BEGIN_CHANNEL): 100.0}, presence_penalty=200.0)
        options = Options(eager, thinking=True, thinking_budget=10, format=Regex("(yes|no)"))
        events = list(engine.respond([user("?")], options))
        assert only(ThoughtFinished, events).ended_by == "budget"
        assert text_of(events) in {"yes", "no"}
        assert reason(events) == "end_of_turn"

    def test_JS_3_an_answer_that_must_have_a_form_does_not_end_in_its_thought(self, engine: Engine) -> None:
        """The tiny model would open a thought and end its turn there."""
        ends = dict.fromkeys((*STOP_TOKEN_IDS, Special.BEGIN_TURN), 200.0)
        hasty = Sampling(seed=3, logit_bias={Special.BEGIN_CHANNEL: 300.0, **ends}, presence_penalty=400.0)
        options = Options(hasty, thinking=True, thinking_budget=10, format=Regex("(yes|no)"))
        events = list(engine.respond([user("?")], options))
        assert text_of(events) in {"yes", "no"}
        assert reason(events) == "end_of_turn"

    def test_a_form_that_cannot_be_kept_is_refused_before_anything_is_computed(self, engine: Engine) -> None:
        events = engine.respond([user("?")], Options(GREEDY, format=Regex("(unclosed")))
        with pytest.raises(PromptError, match="pattern"):
            next(events)

    def test_JS_2_any_json_is_an_object_or_an_array(self, engine: Engine) -> None:
        options = Options(Sampling(seed=1), format=AnyJson(), max_new_tokens=40)
        assert text_of(list(engine.respond([user("?")], options)))[0] in "{["

    def test_a_form_and_tools_leave_the_choice_between_them(self, engine: Engine, written: Callable[..., None]) -> None:
        written(call(), ["yes", END])
        options = Options(GREEDY, tools=(CLOCK,), format=Regex("(yes|no)"))
        events = list(respond(engine, [user("?")], options, execute=Recorder()))
        assert only(ToolCalled, events)
        assert text_of(events) == "yes"


def test_a_half_finished_answer_is_continued(engine: Engine) -> None:
    begun = [user("Count"), Message("assistant", (Text("one, two, "),))]
    prompt = engine.prepare(begun, Options(continues=True))
    anew = engine.prepare(begun)
    text = engine._tokenizer.encode("one, two, ")
    assert list(prompt.token_ids[-len(text) :]) == text
    assert anew.token_ids.count(Special.BEGIN_TURN) == prompt.token_ids.count(Special.BEGIN_TURN) + 1


def test_a_half_finished_answer_is_continued_with_the_folders_own_template(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.engine.read_own_template", lambda folder: CANONICAL)
    begun = [user("Count"), Message("assistant", (Text("one, two, "),))]
    own = engine.prepare(begun, Options(continues=True, own_template=True))
    assert own.token_ids == engine.prepare(begun, Options(continues=True)).token_ids


def test_a_continued_answer_has_the_form_as_a_whole(engine: Engine, written: Callable[..., None]) -> None:
    options = Options(GREEDY, continues=True, format=Regex("one, two, three"))
    begun = [user("Count"), Message("assistant", (Text("one, two, "),))]
    written(["three", END])
    events = list(engine.respond(begun, options))
    assert (text_of(events), reason(events)) == ("three", "end_of_turn")
    other = engine.respond([user("Count"), Message("assistant", (Text("two, "),))], options)
    with pytest.raises(PromptError, match="form"):
        next(other)


def test_a_bias_that_cannot_be_used_is_refused_before_anything_is_computed(engine: Engine) -> None:
    events = engine.respond([user("?")], Options(Sampling(logit_bias={10**6: 1.0})))
    with pytest.raises(PromptError, match="bias"):
        next(events)
