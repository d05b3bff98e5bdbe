"""The conversation in the terminal: what is typed, what is kept, what stops an answer."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.agent.tools import Functions
from engine.cli.chat import Chat, Conversation
from engine.protocol.errors import ContextFull, PromptError
from engine.protocol.events import (
    Event,
    Finished,
    ModelInfo,
    Stats,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
)
from engine.protocol.messages import Message, Picture, Text, ToolCall, ToolResult, user
from engine.protocol.options import Options

DONE = Finished("end_of_turn", Stats())


class FakeEngine:
    """Answers with prepared events and remembers what it was asked."""

    info = ModelInfo("tiny", "/tiny", "custom", ("text",), 64, 1, 1, "bfloat16", "float32", "cpu")

    def __init__(self, *answers: Sequence[Event]) -> None:
        self.asked: list[tuple[list[Message], Options]] = []
        self._answers = iter(answers)

    def respond(
        self, messages: Sequence[Message], options: Options, cancelled: Callable[[], bool], **_: object
    ) -> Iterator[Event]:
        self.asked.append((list(messages), options))
        for event in next(self._answers):
            if event == PRESS_CTRL_C:
                os.kill(os.getpid(), signal.SIGINT)
                assert cancelled()
                continue
            yield event


PRESS_CTRL_C = TextDelta("<Ctrl-C>")


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Conversation]:
    """Types these lines into a chat with this engine."""

    def run(engine: FakeEngine, *lines: str, conversation: Conversation | None = None) -> Conversation:
        typed = iter(lines)

        def read(prompt: str) -> str:
            try:
                return next(typed)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", read)
        conversation = conversation or Conversation([])
        Chat(engine, conversation, Options(), None, 280, 70).run()  # type: ignore[arg-type]
        return conversation

    return run


def answer(text: str) -> list[Event]:
    return [TextDelta(text[:1]), TextDelta(text[1:]), DONE]


def test_a_conversation_goes_on_from_what_was_said(
    talk: Callable[..., Conversation], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = FakeEngine(answer("Hello!"), answer("Fine."))
    conversation = talk(engine, "Hi", "", "How are you?")
    assert conversation.messages == [
        user("Hi"),
        Message("assistant", (Text("Hello!"),)),
        user("How are you?"),
        Message("assistant", (Text("Fine."),)),
    ]
    assert engine.asked[1][0] == conversation.messages[:3]
    assert capsys.readouterr().out == "Hello!\nFine.\n"


def test_a_backslash_goes_on_in_the_next_line(talk: Callable[..., Conversation]) -> None:
    conversation = talk(FakeEngine(answer("ok")), "one\\", "two")
    assert conversation.messages[0] == user("one\ntwo")


def test_ctrl_c_stops_the_answer_and_not_the_program(
    talk: Callable[..., Conversation], capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    stopped = [TextDelta("Once"), PRESS_CTRL_C, Finished("cancelled", Stats())]
    conversation = talk(FakeEngine(stopped, answer("Yes.")), "A story", "Still there?")
    assert [message.text for message in conversation.messages] == ["A story", "Once", "Still there?", "Yes."]
    assert "Stopped." in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_thoughts_calls_and_results_are_kept_as_messages(talk: Callable[..., Conversation]) -> None:
    call, result = ToolCall("clock", {}, "call_1"), ToolResult("12:00", "call_1", "clock")
    dial = Picture("dial.png")
    events: list[Event] = [
        ThoughtStarted(), ThoughtDelta("A clock."), ThoughtFinished(1.0), ToolCalled(call),
        ToolFinished(result, 1.0, media=(dial,)), TextDelta("Noon."), DONE,
    ]  # fmt: skip
    conversation = talk(FakeEngine(events), "How late?")
    assert conversation.messages[1:] == [
        Message("assistant", (call,), "A clock."),
        Message("tool", (result, dial)),
        Message("assistant", (Text("Noon."),)),
    ]


def test_the_last_message_is_answered_again(talk: Callable[..., Conversation]) -> None:
    engine = FakeEngine(answer("One."), answer("Two."))
    conversation = talk(engine, "Say", "/again")
    assert conversation.messages == [user("Say"), Message("assistant", (Text("Two."),))]
    assert engine.asked[0][0] == engine.asked[1][0]


def test_thinking_is_switched(talk: Callable[..., Conversation]) -> None:
    engine = FakeEngine(answer("a"), answer("b"), answer("c"))
    talk(engine, "1", "/think", "2", "/think", "3")
    assert [options.thinking for _, options in engine.asked] == [False, True, False]


def test_a_picture_goes_with_the_next_message_only(talk: Callable[..., Conversation], tmp_path: Path) -> None:
    path = tmp_path / "a b.png"
    Image.new("RGB", (60, 60)).save(path)
    engine = FakeEngine(answer("a"), answer("b"))
    conversation = talk(engine, f'/attach "{path}"', "What?", "And?")
    assert conversation.messages[0] == user("What?", Picture(str(path), 280))
    assert conversation.messages[2] == user("And?")


@pytest.mark.parametrize("line", ["/attach gone.png", "/again", '/attach "open', "/agian", "/usr/bin is what?"])
def test_a_mistake_is_a_sentence_and_the_chat_goes_on(
    talk: Callable[..., Conversation], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    conversation = talk(FakeEngine(answer("ok")), line, "Hi")
    assert conversation.messages[-1] == Message("assistant", (Text("ok"),))
    assert capsys.readouterr().err.count("\n") >= 2


def test_an_unknown_command_is_not_sent_and_the_known_ones_are_named(
    talk: Callable[..., Conversation], capsys: pytest.CaptureFixture[str]
) -> None:
    assert talk(FakeEngine(), "/agian please").messages == []
    told = capsys.readouterr().err
    assert "There is no /agian, only /attach, /think, /again, /new, /help, /quit." in told


def test_two_slashes_send_one(talk: Callable[..., Conversation]) -> None:
    conversation = talk(FakeEngine(answer("a"), answer("b")), "//usr//bin", "// a comment")
    assert [message.text for message in conversation.messages[::2]] == ["/usr//bin", "/ a comment"]


def test_an_answer_stays_when_another_one_fails(talk: Callable[..., Conversation], tmp_path: Path) -> None:
    class FullLater(FakeEngine):
        def respond(self, *arguments: Any, **named: Any) -> Iterator[Event]:
            if self.asked:
                raise ContextFull(9, 8)
            yield from super().respond(*arguments, **named)

    conversation = Conversation.open(tmp_path / "chat.json", None)
    said = [user("Hi"), Message("assistant", (Text("Hello!"),))]
    assert talk(FullLater(answer("Hello!")), "Hi", "/again", conversation=conversation).messages == said
    assert Conversation.open(tmp_path / "chat.json", None).messages == said


def test_an_answer_stays_when_another_one_is_stopped_at_once(talk: Callable[..., Conversation]) -> None:
    engine = FakeEngine(answer("Hello!"), [PRESS_CTRL_C, Finished("cancelled", Stats())])
    assert talk(engine, "Hi", "/again").messages == [user("Hi"), Message("assistant", (Text("Hello!"),))]


def test_what_cannot_be_answered_is_taken_back(talk: Callable[..., Conversation]) -> None:
    class Full(FakeEngine):
        def respond(self, *arguments: Any, **named: Any) -> Iterator[Event]:
            raise ContextFull(9, 8)

    assert talk(Full(), "too long").messages == []
    said = [user("Hi"), Message("assistant", (Text("Hello!"),))]
    assert talk(Full(), "Hi", conversation=Conversation([*said])).messages == said


def test_a_call_that_was_not_run_is_kept_with_that_as_its_result(talk: Callable[..., Conversation]) -> None:
    first, second = ToolCall("clock", {}, "call_1"), ToolCall("clock", {"zone": "Oslo"}, "call_2")
    result = ToolResult("12:00", "call_1", "clock")
    stopped = Finished("cancelled", Stats())
    events: list[Event] = [ToolCalled(first), ToolCalled(second), ToolFinished(result, 1.0), stopped]
    assert talk(FakeEngine(events), "How late?").messages[1:] == [
        Message("assistant", (first, second)),
        Message("tool", (result, ToolResult({"error": "It was not run."}, "call_2", "clock"))),
    ]


def test_a_refused_call_is_kept_with_its_result(talk: Callable[..., Conversation]) -> None:
    call, result = ToolCall("clock", {}, "call_1"), ToolResult({"error": "No."}, "call_1", "clock")
    events: list[Event] = [
        ToolCallRefused("call:clock{]", "No.", call),
        ToolFinished(result, 1.0),
        TextDelta("So"),
        DONE,
    ]
    assert talk(FakeEngine(events), "How late?").messages[1:] == [
        Message("assistant", (call,)),
        Message("tool", (result,)),
        Message("assistant", (Text("So"),)),
    ]


def test_quit_ends(talk: Callable[..., Conversation]) -> None:
    for word in ("/quit", "/exit"):
        assert talk(FakeEngine(), word, "never read").messages == []


def test_new_keeps_the_instructions(talk: Callable[..., Conversation]) -> None:
    engine = FakeEngine(answer("a"), answer("b"))
    talk(engine, "1", "/new", "2", conversation=Conversation.open(None, "Be brief."))
    assert engine.asked[1][0] == [Message("system", (Text("Be brief."),)), user("2")]


class TestHistory:
    def test_it_is_kept_after_every_turn_and_read_back(self, talk: Callable[..., Conversation], tmp_path: Path) -> None:
        path = tmp_path / "chat.json"
        talk(FakeEngine(answer("Hello!")), "Hi", conversation=Conversation.open(path, None))
        again = Conversation.open(path, None)
        assert again.messages == [user("Hi"), Message("assistant", (Text("Hello!"),))]
        assert json.loads(path.read_text())["version"] == 1
        assert [each.name for each in tmp_path.iterdir()] == ["chat.json"]

    @pytest.mark.parametrize("before", [None, "Be long."])
    def test_instructions_take_the_place_of_those_in_the_file(
        self, talk: Callable[..., Conversation], tmp_path: Path, before: str | None
    ) -> None:
        path = tmp_path / "chat.json"
        talk(FakeEngine(answer("Hello!")), "Hi", conversation=Conversation.open(path, before))
        said = [user("Hi"), Message("assistant", (Text("Hello!"),))]
        assert Conversation.open(path, "Be brief.").messages == [Message("system", (Text("Be brief."),)), *said]

    def test_a_new_conversation_leaves_the_file_of_the_old_one_beside_its_own(
        self, talk: Callable[..., Conversation], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "chat.json"
        engine = FakeEngine(answer("a"), answer("b"), answer("c"))
        talk(engine, "/new", "1", "/new", "2", "/new", "/new", "3", conversation=Conversation.open(path, None))
        kept = {
            each.name: [message.text for message in Conversation.open(each, None).messages]
            for each in tmp_path.iterdir()
        }
        assert kept == {"chat-1.json": ["1", "a"], "chat-2.json": ["2", "b"], "chat.json": ["3", "c"]}
        assert capsys.readouterr().err.replace("\n", "").count("is kept in") == 2

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"messages": 1}', b"\xff", b'{"messages":[],"version":2}'])
    def test_another_file_is_a_sentence_and_stays_as_it_is(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "notes.json"
        path.write_bytes(content)
        with pytest.raises(PromptError, match=r"notes\.json"):
            Conversation.open(path, None)
        assert path.read_bytes() == content

    def test_a_file_that_cannot_be_kept_is_told_before_anybody_talks(self, tmp_path: Path) -> None:
        with pytest.raises(PromptError, match=r"chat\.json cannot be written: .*\. Name another file\."):
            Conversation.open(tmp_path / "gone" / "chat.json", None)
        with pytest.raises(PromptError, match=r"cannot be read: .*\. Name another file\."):
            Conversation.open(tmp_path, None)

    def test_a_folder_that_goes_while_they_talk_is_a_sentence(
        self, talk: Callable[..., Conversation], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "going" / "chat.json"
        path.parent.mkdir()
        conversation = Conversation.open(path, None)
        path.unlink()
        path.parent.rmdir()
        talk(FakeEngine(answer("ok")), "Hi", conversation=conversation)
        assert [message.text for message in conversation.messages] == ["Hi", "ok"]
        assert "cannot be written" in capsys.readouterr().err


def test_functions_are_called_and_what_they_gave_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def clock() -> str:
        """The time."""
        return "12:00"

    called = ToolCall("clock", {}, "call_1")
    engine = FakeEngine([ToolCalled(called), Finished("tool_calls", Stats())], answer("Noon."))
    lines = iter(["Hi", "/quit"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    conversation, functions = Conversation([]), Functions(clock)
    Chat(engine, conversation, Options(tools=functions.tools), functions, 280, 70).run()  # type: ignore[arg-type]
    assert conversation.messages[1:] == [
        Message("assistant", (called,)),
        Message("tool", (ToolResult("12:00", "call_1", "clock"),)),
        Message("assistant", (Text("Noon."),)),
    ]


def test_a_history_is_not_written_through_what_others_laid_beside_it(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in ("talk.json.new", "talk.json.tmp", ".talk.json.new"):
        (tmp_path / name).symlink_to(precious)
    Conversation.open(tmp_path / "talk.json", "Be brief.")
    assert precious.read_text() == "precious"
    assert json.loads((tmp_path / "talk.json").read_bytes())["messages"]
