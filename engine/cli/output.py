"""What the command line prints: answers on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from rich.console import Console

from engine.errors import EngineError
from engine.events import (
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
from engine.messages import ToolCall
from engine.requests import encode

__all__ = ["notes", "write_answer", "write_json"]

notes = Console(stderr=True, highlight=False)


def write_answer(events: Iterable[Event]) -> None:
    """The answer on stdout as it comes; thought, receipts, calls, likelihoods and odd endings on stderr."""
    likelihoods: list[str] = []
    for event in events:
        match event:
            case PromptReady(_, _, pictures, sounds, videos):
                receipts: tuple[Receipt, ...] = (*pictures, *videos, *sounds)
                for receipt in receipts:
                    notes.print(_describe(receipt), style="dim", markup=False, soft_wrap=True)
            case ThoughtDelta(text):
                notes.print(text, end="", style="italic dim", markup=False, soft_wrap=True)
            case ThoughtFinished(ended_by=ended_by):
                notes.print()
                if ended_by in _THOUGHT_ENDINGS:
                    notes.print(_THOUGHT_ENDINGS[ended_by], style="yellow")
            case Logprobs(chosen, top):
                likelihoods.append(_describe_logprobs(chosen, top))
            case ToolCalled(call):
                notes.print(f"→ {call.name}({_arguments(call)})", style="cyan", markup=False, soft_wrap=True)
            case ToolCallRefused(raw, message):
                notes.print(f"→ {raw}", style="cyan", markup=False, soft_wrap=True)
                notes.print(f"← {message}", style="yellow", markup=False, soft_wrap=True)
            case ToolFinished(result, _, failed):
                text = json.dumps(result.content, ensure_ascii=False)
                notes.print(f"← {text}", style="yellow" if failed else "cyan", markup=False, soft_wrap=True)
            case TextDelta(text):
                sys.stdout.write(text)
                sys.stdout.flush()
            case Finished(reason):
                sys.stdout.write("\n")
                sys.stdout.flush()
                for line in likelihoods:
                    notes.print(line, style="dim", markup=False, soft_wrap=True)
                if reason in _ENDINGS:
                    notes.print(_ENDINGS[reason], style="yellow")
            case _:
                pass


def write_json(events: Iterable[Event], file: str | None = None) -> None:
    """Each event as a line of JSON, the last one too when that is a failure."""

    def write(event: Event) -> None:
        line = encode(event).decode()
        typer.echo(line if file is None else f'{{"file": {json.dumps(file, ensure_ascii=False)}, "event": {line}}}')

    try:
        for event in events:
            write(event)
    except EngineError as error:
        write(Failed(type(error).__name__, str(error)))
        raise


def _describe(receipt: Receipt) -> str:
    match receipt:
        case PictureReceipt():
            what = f"{receipt.width} × {receipt.height}"
        case SoundReceipt():
            what = f"{receipt.seconds:.1f} s of sound"
        case VideoReceipt():
            frames = len(receipt.seconds)
            what = f"{frames} frame{'s' * (frames != 1)} of {receipt.width} × {receipt.height}"
    name = Path(receipt.path).name
    return f"{name}: {what}, {receipt.num_soft_tokens} soft tokens, {receipt.encode_ms:.0f} ms"


def _describe_logprobs(chosen: Logprob, top: Sequence[Logprob]) -> str:
    others = "  ".join(f"{each.text!r} {each.logprob:.2f}" for each in top)
    return f"{chosen.text!r} {chosen.logprob:.2f}  of  {others}"


def _arguments(call: ToolCall) -> str:
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call.arguments.items())


_ENDINGS: dict[FinishReason, str] = {
    "length": "Stopped at the most tokens asked for (--max-tokens).",
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
