"""What the command line prints: answers on stdout, everything else on stderr."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console

from engine.protocol.errors import EngineError
from engine.protocol.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    Logprob,
    Logprobs,
    PictureReceipt,
    PromptReady,
    Receipt,
    SoundReceipt,
    TextDelta,
    ThoughtDelta,
    ThoughtEnd,
    ThoughtFinished,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
    VideoReceipt,
)
from engine.protocol.messages import ToolCall

__all__ = [
    "answers", "failing_aloud", "json_line", "json_text", "notes", "say", "shown", "write_answer", "write_json",
    "write_line",
]  # fmt: skip

notes = Console(stderr=True, highlight=False)


class Answers:
    """Where answers go: stdout, which all other code in this process can be kept out of."""

    def __init__(self) -> None:
        self._own: TextIO | None = None

    @property
    def stream(self) -> TextIO:
        """What to write to, and to flush."""
        return self._own or sys.stdout

    def keep_others_out(self) -> None:
        """To the end of the process, what others print goes to stderr: Python, C libraries, programs that they start.

        Which is as long as a file of tools may have threads, or things to say at the exit.
        """
        sys.stdout.flush()
        self._own = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)
        os.dup2(2, 1)


answers = Answers()

_SHOWN = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
"""Control characters, of which a terminal would take orders, as their pictures (␛)."""

_ON_ONE_LINE = _SHOWN | {
    ord("\n"): 0x240A,
    ord("\t"): 0x2409,
    **dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}
"""The same, and whatever else a name could break a line with or turn it round."""


def shown(name: object) -> str:
    """A name from a disk, or a sentence with one, as a line that is what it looks like."""
    return str(name).translate(_ON_ONE_LINE)


def write_answer(events: Iterable[Event]) -> FinishReason | None:
    """The answer on stdout as it comes; thought, receipts, calls, likelihoods and odd endings on stderr.

    A file gets the answer as it is, a terminal no control characters. Returns why it ended.
    """
    ending: FinishReason | None = None
    stdout = answers.stream
    shown = _SHOWN if stdout.isatty() else {}
    likelihoods: list[str] = []
    for event in events:
        match event:
            case TextDelta(text):
                stdout.write(text.translate(shown))
                stdout.flush()
            case Logprobs(chosen, top):
                likelihoods.append(_describe_logprobs(chosen, top))
            case Finished(reason):
                ending = reason
                stdout.write("\n")
                stdout.flush()
                for line in likelihoods:
                    say(line, "dim")
                if reason in _ENDINGS:
                    say(_ENDINGS[reason], "yellow")
            case _:
                _write_beside(event)
    return ending


def _write_beside(event: Event) -> None:
    """What is not the answer itself."""
    match event:
        case PromptReady(_, _, pictures, sounds, videos):
            receipts: tuple[Receipt, ...] = (*pictures, *videos, *sounds)
            for receipt in receipts:
                say(_describe(receipt), "dim")
        case ThoughtDelta(text):
            say(text, "italic dim", end="")
        case ThoughtFinished(ended_by=ended_by):
            notes.print()
            if ended_by in _THOUGHT_ENDINGS:
                say(_THOUGHT_ENDINGS[ended_by], "yellow")
        case ToolCalled(call):
            say(f"→ {call.name}({_arguments(call)})", "cyan")
        case ToolCallRefused(raw, message):
            say(f"→ {raw}", "cyan")
            say(f"← {message}", "yellow")
        case ToolFinished(result, _, failed):
            say(f"← {json.dumps(result.content, ensure_ascii=False)}", "yellow" if failed else "cyan")
        case _:
            pass


def say(text: str, style: str, end: str = "\n") -> None:
    """A line on stderr, which nothing in it breaks; or with another end a part of a text. No markup, no orders."""
    told = shown(text) if end == "\n" else text.translate(_SHOWN)
    notes.print(told, end=end, style=style, markup=False, soft_wrap=True)


def write_line(text: str) -> None:
    """A line on stdout; a terminal gets no control characters."""
    stdout = answers.stream
    stdout.write(f"{text.translate(_SHOWN) if stdout.isatty() else text}\n")
    stdout.flush()


def write_json(events: Iterable[Event], file: str | None = None) -> FinishReason | None:
    """Each event as a line of JSON, the last one too when that is a failure. Returns why the answer ended."""
    ending: FinishReason | None = None

    def write(event: Event) -> None:
        line = json_line(event)
        answers.stream.write((line if file is None else f'{{"file": {json_line(file)}, "event": {line}}}') + "\n")
        answers.stream.flush()

    try:
        for event in events:
            write(event)
            ending = event.reason if isinstance(event, Finished) else ending
    except EngineError as error:
        write(Failed(type(error).__name__, str(error)))
        raise
    return ending


@contextmanager
def failing_aloud(as_json: bool) -> Iterator[None]:
    """What goes wrong in the block is the last line of JSON as well."""
    try:
        yield
    except EngineError as error:
        if as_json:
            write_line(json_line(Failed(type(error).__name__, str(error))))
        raise


def json_line(value: object) -> str:
    """One line of JSON; of a file name that is no UTF-8 the bytes that are none are escaped, as Python does it."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json_text(value)


def json_text(value: object, indent: int | None = None) -> str:
    """The same as lines that a person can read, or as one."""
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=indent)
    return text.encode(errors="backslashreplace").decode()  # of a lone surrogate that is JSON's escape


def _describe(receipt: Receipt) -> str:
    match receipt:
        case PictureReceipt():
            what = f"{receipt.width} × {receipt.height}"
        case SoundReceipt():
            what = f"{receipt.seconds:.1f} s of sound"
        case VideoReceipt():
            frames = len(receipt.seconds)
            what = f"{frames} frame{'s' * (frames != 1)} of {receipt.width} × {receipt.height}"
    name, note = Path(receipt.path).name, getattr(receipt, "note", "")
    line = f"{name}: {what}, {receipt.num_soft_tokens} soft tokens, {receipt.encode_ms:.0f} ms"
    return f"{line}. {note}" if note else line


def _describe_logprobs(chosen: Logprob, top: Sequence[Logprob]) -> str:
    others = "  ".join(f"{each.text!r} {each.logprob:.2f}" for each in top)
    return f"{chosen.text!r} {chosen.logprob:.2f}  of  {others}"


def _arguments(call: ToolCall) -> str:
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call.arguments.items())


_ENDINGS: dict[FinishReason, str] = {
    "length": "Stopped: the answer has as many tokens as it may.",
    "context_full": "Stopped because the model's context is full.",
    "loop": "Stopped because the model repeated itself.",
    "tool_calls": "The model waits for the results of its calls.",
    "tool_rounds": "Stopped because the model went on calling tools.",
    "cancelled": "Stopped.",
}

_THOUGHT_ENDINGS: dict[ThoughtEnd, str] = {
    "budget": "The thought was ended at its budget.",
    "loop": "The thought was ended because it repeated itself.",
    "answer_now": "The thought was ended by you.",
}
