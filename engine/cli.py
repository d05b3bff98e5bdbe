"""The command line: ask, ocr, selftest, bench, models. Answers go to stdout, everything else to stderr.

Exit status 0, 1 (it could not be done, said in one sentence), 2 (wrong usage) or 130 (stopped).
"""

import io
import json
import logging
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast, get_args

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from engine import version
from engine.attachments import inspect_attachment
from engine.bench.run import bench_report
from engine.checkpoint.quantize import Bits, quantize_checkpoint
from engine.checkpoint.sample import sample_checkpoint
from engine.errors import EngineError
from engine.events import (
    Event,
    Failed,
    Finished,
    PictureReceipt,
    PromptReady,
    Receipt,
    SoundReceipt,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    VideoReceipt,
)
from engine.messages import (
    BUDGETS,
    DEFAULT_BUDGET,
    DEFAULT_VIDEO_BUDGET,
    Media,
    Message,
    Picture,
    Sound,
    Text,
    Video,
    user,
)
from engine.options import Options, Sampling
from engine.pipeline import Engine
from engine.preprocess.sound import MAX_SECONDS
from engine.requests import encode
from engine.tasks.ocr import default_budget, read_text
from engine.tasks.selftest import run_selftest

__all__ = ["run_command_line"]

cli = typer.Typer(
    name="cabochon",
    help="Private chat and document reading with Gemma 4 models. "
    "Without a command, the window opens: cabochon [--model FOLDER] [PICTURE]...",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models = typer.Typer(
    help="Work on model folders.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.add_typer(models, name="models")
_notes = Console(stderr=True, highlight=False)


def _checked_budget(value: int | None) -> int | None:
    if value is not None and value not in BUDGETS:
        raise typer.BadParameter(f"choose one of {', '.join(map(str, BUDGETS))}")
    return value


ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="FOLDER", readable=False, help="Model folder; without it, the built-in sample."),
]
BudgetOption = Annotated[
    int | None,
    typer.Option(
        "--budget",
        metavar="N",
        callback=_checked_budget,
        help="Soft tokens a picture may spend: 70, 140, 280, 560, 1120.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write every event as a line of JSON.")]


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; a person's mistake is one sentence, never a traceback."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character shows a question mark
            stream.reconfigure(errors="replace")
    try:
        cli(args=list(arguments), prog_name="cabochon")
    except EngineError as error:
        _notes.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except SystemExit as stop:  # typer has said what was wrong
        return stop.code if isinstance(stop.code, int) else 0
    except BrokenPipeError:  # the reader of our output left
        sys.stderr.close()
        return 1
    return 0


@cli.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if show_version:
        typer.echo(f"cabochon {version.VERSION}")
        raise typer.Exit


@cli.command()
def ask(
    question: Annotated[str, typer.Argument(help="What to ask.")],
    image: Annotated[
        list[Path] | None, typer.Option("--image", metavar="FILE", readable=False, help="A picture; repeatable.")
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option(
            "--audio", metavar="FILE", readable=False, help="A sound of at most 30 s, or a video's sound; repeatable."
        ),
    ] = None,
    video: Annotated[
        list[Path] | None, typer.Option("--video", metavar="FILE", readable=False, help="A video; repeatable.")
    ] = None,
    budget: BudgetOption = None,
    video_budget: Annotated[
        int,
        typer.Option(metavar="N", callback=_checked_budget, help="Soft tokens each frame of a video may spend."),
    ] = DEFAULT_VIDEO_BUDGET,
    think: Annotated[
        bool, typer.Option("--think", help="Let the model think first; its thought goes to stderr.")
    ] = False,
    system: Annotated[str | None, typer.Option("--system", metavar="TEXT", help="Instructions for the model.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same answer.")] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="0 always takes the most likely token; else as the model advises.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Stop after so many tokens.")] = 4096,
    own_template: Annotated[
        bool, typer.Option("--own-template", help="Use the model folder's own chat template, which may be an old one.")
    ] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a question, about pictures, sounds and videos if you like."""
    engine = _load(model)
    media: list[Media] = [Picture(str(path.absolute()), budget or DEFAULT_BUDGET) for path in image or []]
    for path in video or []:
        media += _video_parts(engine, path.absolute(), video_budget)
    media += [Sound(str(path.absolute())) for path in audio or []]
    messages = [Message("system", (Text(system),))] if system else []
    sampling = Sampling(temperature=temperature, seed=seed)
    options = Options(sampling, thinking=think, max_new_tokens=max_tokens, own_template=own_template)
    events = engine.respond([*messages, user(question, *media)], options)
    _write_json(events) if as_json else _write_answer(events)


@cli.command()
def ocr(
    files: Annotated[list[Path], typer.Argument(help="Pictures to read.", metavar="FILE...", readable=False)],
    budget: BudgetOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the text in pictures."""
    engine = _load(model)
    failed = False
    for path in files:
        try:
            events = read_text(engine, path.absolute(), budget or default_budget(engine))
            if as_json:
                _write_json(events, file=str(path))
                continue
            if len(files) > 1:
                typer.echo(f"==> {path} <==")
            _write_answer(events)
        except EngineError as error:  # one bad file must not stop the rest
            failed = True
            _notes.print(str(error), style="red", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


@cli.command()
def selftest(as_json: JsonOption = False) -> None:
    """Check this installation: load the sample, read pictures drawn on the spot, listen to a clip."""
    report = run_selftest()
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    for name, value in report.versions.items():
        typer.echo(f"{name:12} {value}")
    typer.echo(f"{'backend':12} {report.backend}, {report.compute_dtype}")
    typer.echo(f"{'memory':12} {report.peak_memory_bytes / 2**20:.0f} MiB at most")
    for drawn, text in report.read.items():
        typer.echo(f"{'read':12} {drawn!r} as {text!r}")
    for said, text in report.heard.items():
        typer.echo(f"{'heard':12} {said!r} as {text!r}")
    typer.echo("ok")


@cli.command()
def bench(
    model: ModelOption = None,
    against: Annotated[
        str, typer.Option(metavar="NAMES", help="Measure these beside it: mlx-lm, mlx-vlm, or both with a comma.")
    ] = "",
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved repetitions; medians are reported.")] = 3,
    prompt_tokens: Annotated[int, typer.Option(min=1, help="Length of the prompt.")] = 512,
    new_tokens: Annotated[int, typer.Option(min=2, help="Tokens to write.")] = 128,
) -> None:
    """Measure load, time to first token, prefill, decode and memory; prints JSON."""
    names = [name.strip() for name in against.split(",") if name.strip()]
    report = bench_report(model or sample_checkpoint(), names, rounds, prompt_tokens, new_tokens)
    typer.echo(json.dumps(report, indent=2))


def _checked_bits(value: int) -> int:
    if value not in get_args(Bits):
        raise typer.BadParameter("choose one of 4, 6, 8")
    return value


@models.command()
def quantize(
    source: Annotated[
        Path, typer.Argument(help="Folder of a model that is not quantized yet.", metavar="SRC", readable=False)
    ],
    destination: Annotated[Path, typer.Argument(help="New folder for the smaller model.", metavar="DST")],
    bits: Annotated[
        int,
        typer.Option("--bits", metavar="N", callback=_checked_bits, help="Bits of most weights: 4, 6, 8."),
    ] = 4,
    as_json: JsonOption = False,
) -> None:
    """Write a model in fewer bits, in the layout of MLX conversions.

    DST appears when it is complete. What a stopped run leaves is DST.cabochon-unfinished: the next run to DST clears
    it, or delete it.
    """

    def write(kind: str, **values: object) -> None:
        typer.echo(msgspec.json.encode({"event": kind, **values}).decode())

    last = 0.0

    def write_progress(fraction: float) -> None:  # a line for each hundredth is enough
        nonlocal last
        if fraction >= last + 0.01 or last < fraction == 1:
            last = fraction
            write("quantize_progress", fraction=round(fraction, 4))

    if as_json:
        try:
            with _ending_in_order():
                done = quantize_checkpoint(source, destination, cast(Bits, bits), write_progress)
        except EngineError as error:
            typer.echo(encode(Failed(type(error).__name__, str(error))).decode())
            raise
        write("quantized", folder=str(done.folder), size_bytes=done.size_bytes, source_bytes=done.source_bytes)
        return
    columns = Progress.get_default_columns()
    progress_bar = Progress(*columns, console=_notes, transient=True, disable=not _notes.is_terminal)
    with _ending_in_order(), progress_bar as progress:
        task = progress.add_task(f"{source.name} to {bits} bits", total=1.0)
        done = quantize_checkpoint(
            source, destination, cast(Bits, bits), lambda fraction: progress.update(task, completed=fraction)
        )
    num_lossless = sum(packing.is_on_grid for packing in done.packings.values())
    if num_lossless:
        _notes.print(f"{num_lossless} of {len(done.packings)} weights were made for 4 bits and lost nothing.")
    typer.echo(f"{done.folder}: {_size(done.size_bytes)}, from {_size(done.source_bytes)}")


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.2f} GB" if num_bytes >= 1e8 else f"{num_bytes / 1e6:.1f} MB"


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """A closed terminal or a polite `kill` stops the command as Ctrl-C does, so that nothing half-written stays."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    heeded = [number for number in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _load(model: Path | None) -> Engine:
    if model is None:
        _notes.print(
            "Using the built-in sample, which only reads large print, hears spoken digits and does small sums. "
            "Use --model FOLDER for a full model.",
            style="dim", soft_wrap=True,
        )  # fmt: skip
    return Engine.load(model or sample_checkpoint())


def _video_parts(engine: Engine, path: Path, budget: int) -> list[Media]:
    """The frames, and the sound track where the model can hear it."""
    parts: list[Media] = [Video(str(path), budget)]
    attachment = inspect_attachment(path)
    if not attachment.has_sound:
        return parts
    if "sound" not in engine.info.modalities:
        why = "this model cannot hear"
    elif attachment.seconds > MAX_SECONDS:
        why = f"its sound is longer than {MAX_SECONDS} seconds"
    else:
        return [*parts, Sound(str(path))]
    note = f"{path.name}: only the pictures are used, because {why}."
    _notes.print(note, style="dim", markup=False, soft_wrap=True)
    return parts


def _write_answer(events: Iterable[Event]) -> None:
    """The answer on stdout as it comes; thought, receipts and odd endings on stderr."""
    for event in events:
        match event:
            case PromptReady(_, _, pictures, sounds, videos):
                receipts: tuple[Receipt, ...] = (*pictures, *videos, *sounds)
                for receipt in receipts:
                    _notes.print(_describe(receipt), style="dim", markup=False, soft_wrap=True)
            case ThoughtDelta(text):
                _notes.print(text, end="", style="italic dim", markup=False, soft_wrap=True)
            case ThoughtFinished():
                _notes.print()
            case TextDelta(text):
                sys.stdout.write(text)
                sys.stdout.flush()
            case Finished(reason):
                sys.stdout.write("\n")
                sys.stdout.flush()
                if reason != "end_of_turn":
                    _notes.print(_ENDINGS[reason], style="yellow")
            case _:
                pass


def _write_json(events: Iterable[Event], file: str | None = None) -> None:
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


_ENDINGS = {
    "length": "Stopped: the answer has as many tokens as it may.",
    "context_full": "Stopped because the model's context is full.",
    "cancelled": "Stopped.",
}
