"""A conversation in the terminal."""

import contextlib
import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import FrameType

import msgspec

from engine.agent.loop import respond
from engine.agent.tools import Functions
from engine.answer import Answer
from engine.cli.arguments import video_parts
from engine.cli.output import json_text, notes, say, write_answer
from engine.engine import Engine
from engine.files.whole_files import write_whole
from engine.preprocess.pictures import look_at_file
from engine.protocol.errors import EngineError, PromptError
from engine.protocol.events import Event
from engine.protocol.messages import Media, Message, Picture, Sound, Text, user
from engine.protocol.options import Options

__all__ = ["Chat", "Conversation"]

HELP = """\
/attach FILE   send this picture, sound or video with your next message
/think         switch thinking on or off
/again         answer the last message anew
/new           begin a new conversation; the file of the old one is kept beside it
/help          say this
/quit          end (also /exit and Ctrl-D)
A line that ends in a backslash goes on in the next one; one that begins with // sends a text that begins with /.
Ctrl-C stops an answer."""


class _Saved(msgspec.Struct, forbid_unknown_fields=True):
    """The form of a history file."""

    messages: list[Message]
    version: int = 1


@dataclass
class Conversation:
    """What was said, kept in a file after every turn if there is one."""

    messages: list[Message]
    path: Path | None = None

    @classmethod
    def open(cls, path: Path | None, system: str | None) -> "Conversation":
        """Go on with the file at `path`, or begin; raises PromptError for a file that holds something else.

        The file is written at once, so that nobody talks for an hour and then hears that it cannot be kept.
        The instructions in `system` take the place of those in the file.
        """
        begun: list[Message] = []
        if path is not None and path.exists():
            try:
                saved = msgspec.convert(json.loads(path.read_bytes()), _Saved)
            except OSError as error:
                raise PromptError(f"{path} cannot be read: {error.strerror}. Name another file.") from error
            except (msgspec.ValidationError, ValueError, RecursionError) as error:
                raise PromptError(f"{path} holds no conversation. Name another file.") from error
            if saved.version != 1:
                raise PromptError(f"{path} was written by a newer Cabochon. Update this one, or name another file.")
            begun = saved.messages
        if system:
            begun = [Message("system", (Text(system),)), *begun[len(_instructions(begun)) :]]
        conversation = cls(begun, path)
        conversation.save()
        return conversation

    def begin_anew(self) -> Path | None:
        """Forget all but the instructions; where the file of what was said is now. Raises PromptError."""
        kept = None
        is_begun = len(self.messages) > len(_instructions(self.messages))
        if is_begun and self.path is not None and self.path.exists():
            names = (f"{self.path.stem}-{number}{self.path.suffix}" for number in count(1))
            kept = next(path for path in map(self.path.with_name, names) if not path.exists())
            try:
                self.path.rename(kept)
            except OSError as error:
                raise PromptError(f"{self.path} cannot be renamed: {error.strerror}. Name another file.") from error
        self.messages = _instructions(self.messages)
        return kept

    @property
    def last_question(self) -> int | None:
        """The place of the message that is or was to be answered last."""
        places = [place for place, message in enumerate(self.messages) if message.role not in {"assistant", "tool"}]
        return places[-1] if places and self.messages[places[-1]].role == "user" else None

    def save(self) -> None:
        """Write the file whole or not at all; raises PromptError."""
        if self.path is None:
            return
        try:
            write_whole(self.path, json_text(_Saved(self.messages), indent=1).encode())
        except OSError as error:
            raise PromptError(f"{self.path} cannot be written: {error.strerror}. Name another file.") from error


def _instructions(messages: list[Message]) -> list[Message]:
    """Those with which a conversation begins."""
    return [message for message in messages[:1] if message.role in {"system", "developer"}]


def _noted(events: Iterable[Event], answer: Answer) -> Iterator[Event]:
    """Pass the events on, and keep what they are put together to."""
    for event in events:
        answer.take(event)
        yield event


class Chat:
    """Reads what a person types, answers, and goes on until there is no more."""

    def __init__(
        self,
        engine: Engine,
        conversation: Conversation,
        options: Options,
        functions: Functions | None,
        budget: int,
        video_budget: int,
    ) -> None:
        self._engine = engine
        self._conversation = conversation
        self._options = options
        self._functions = functions
        self._budgets = budget, video_budget
        self._attached: list[Media] = []

    def run(self) -> None:
        """Until /quit or the end of the input."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - arrow keys and history at the prompt
        notes.print("Type a message, or /help.", style="dim")
        for line in _lines():
            word, _, rest = line.strip().partition(" ")
            if word in ("/quit", "/exit"):
                return
            try:
                if word.startswith("//"):
                    self._say(line.replace("//", "/", 1))
                elif word.startswith("/"):
                    _command(word)(self, rest.strip())
                elif word:
                    self._say(line)
            except EngineError as error:
                say(str(error), "red")

    def _say(self, text: str) -> None:
        self._answer([*self._conversation.messages, user(text, *self._attached)])
        self._attached = []
        self._conversation.save()

    def _answer(self, messages: list[Message]) -> None:
        """Answer these; the conversation stays as it is when that fails: what was typed is still in the terminal."""
        answer = Answer()
        with _interruptible() as interrupted:
            events = respond(self._engine, messages, self._options, interrupted, execute=self._functions)
            write_answer(_noted(events, answer))
        self._conversation.messages = [*messages, *answer.messages]

    def _attach(self, rest: str) -> None:
        budget, video_budget = self._budgets
        for name in _names(rest):
            path = Path(name).expanduser().absolute()
            match look_at_file(path)[0].kind:
                case "picture":
                    self._attached.append(Picture(str(path), budget))
                case "sound":
                    self._attached.append(Sound(str(path)))
                case "video":
                    self._attached += video_parts(self._engine, path, video_budget)
            notes.print(f"{path.name} goes with your next message.", style="dim", markup=False)

    def _think(self, rest: str) -> None:
        self._options = msgspec.structs.replace(self._options, thinking=not self._options.thinking)
        notes.print(f"Thinking is {'on' if self._options.thinking else 'off'}.", style="dim")

    def _again(self, rest: str) -> None:
        last = self._conversation.last_question
        if last is None:
            raise PromptError("There is no message to answer again.")
        before = self._conversation.messages
        self._answer(before[: last + 1])
        if len(self._conversation.messages) == last + 1:  # it was stopped before it said anything
            self._conversation.messages = before
        self._conversation.save()

    def _new(self, rest: str) -> None:
        kept = self._conversation.begin_anew()
        self._attached = []
        if kept is not None:
            say(f"What was said is kept in {kept}.", "dim")

    def _help(self, rest: str) -> None:
        notes.print(HELP, markup=False)


_COMMANDS: dict[str, Callable[[Chat, str], None]] = {
    "/attach": Chat._attach,
    "/think": Chat._think,
    "/again": Chat._again,
    "/new": Chat._new,
    "/help": Chat._help,
}


def _command(word: str) -> Callable[[Chat, str], None]:
    """Raises PromptError for one that there is not."""
    if word not in _COMMANDS:
        known = ", ".join([*_COMMANDS, "/quit"])
        raise PromptError(f"There is no {word}, only {known}. Begin with // to send a text that begins with /.")
    return _COMMANDS[word]


def _names(rest: str) -> list[str]:
    """Files as a shell would take them: quotes and backslashes keep blanks."""
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise PromptError("A quotation mark is open. Close it, or put a backslash before it.") from error


def _lines() -> Iterator[str]:
    """What is typed, until the end of the input; Ctrl-C at the prompt clears the line."""
    prompt = "> " if sys.stdin.isatty() else ""
    parts: list[str] = []
    while True:
        try:
            line = input("… " if parts and prompt else prompt)
        except EOFError:
            return
        except KeyboardInterrupt:
            parts = []
            notes.print()
            continue
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            yield "\n".join(parts)
            parts = []


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """While an answer runs, Ctrl-C only sets what the engine asks for."""
    pressed = False

    def press(signal_number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
