"""The commands: ask, chat, ocr, transcribe, selftest, bench, models. Answers go to stdout, everything else to stderr.

Exit status 0, 1 (it could not be done, said in one sentence), 2 (wrong usage) or 130 (stopped).
"""

import io
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.progress import Progress

from engine import version
from engine.agent.loop import respond
from engine.agent.tools import Functions
from engine.bench.documents import document_report
from engine.bench.run import bench_report
from engine.checkpoint.quantize import Bits, quantize_checkpoint
from engine.checkpoint.sample import sample_checkpoint
from engine.cli.arguments import (
    BudgetOption,
    JsonOption,
    LogprobsOption,
    MaxTokensOption,
    ModelOption,
    OwnTemplateOption,
    SchemaOption,
    SeedOption,
    StopOption,
    SystemOption,
    TemperatureOption,
    ThinkingBudgetOption,
    ThinkOption,
    ToolsOption,
    VideoBudgetOption,
    load_engine,
    load_schema,
    load_tools,
    make_options,
    one_of,
    one_of_numbers,
    video_parts,
    whole_number,
)
from engine.cli.chat import Chat, Conversation
from engine.cli.output import answers, json_line, notes, say, write_answer, write_json, write_line
from engine.cli.recordings import Transcription
from engine.protocol.errors import EngineError
from engine.protocol.events import Event, Failed
from engine.protocol.messages import DEFAULT_BUDGET, DEFAULT_VIDEO_BUDGET, Media, Message, Picture, Sound, Text, user
from engine.recordings.forms import RECORDING_FORMATS, RecordingFormat
from engine.tasks.ocr import FORMS, Form, ask_picture, default_budget, read_text
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
benches = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.add_typer(benches, name="bench")


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; a person's mistake is one sentence, never a traceback."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character shows a question mark
            stream.reconfigure(errors="replace")
    try:
        cli(args=list(arguments), prog_name="cabochon")
    except EngineError as error:
        say(str(error), "red")
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
    video_budget: VideoBudgetOption = DEFAULT_VIDEO_BUDGET,
    think: ThinkOption = False,
    thinking_budget: ThinkingBudgetOption = None,
    system: SystemOption = None,
    tools: ToolsOption = None,
    schema: SchemaOption = None,
    stop: StopOption = None,
    seed: SeedOption = None,
    temperature: TemperatureOption = None,
    max_tokens: MaxTokensOption = 4096,
    logprobs: LogprobsOption = 0,
    own_template: OwnTemplateOption = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a question, about pictures, sounds and videos if you like."""
    functions = _tools(tools)
    options = make_options(
        think=think,
        thinking_budget=thinking_budget,
        temperature=temperature,
        seed=seed,
        max_tokens=max_tokens,
        stop=stop,
        schema=schema,
        tools=functions,
        own_template=own_template,
        num_logprobs=logprobs,
    )
    engine = load_engine(model)
    media: list[Media] = [Picture(str(path.absolute()), budget or DEFAULT_BUDGET) for path in image or []]
    for path in video or []:
        media += video_parts(engine, path.absolute(), video_budget)
    media += [Sound(str(path.absolute())) for path in audio or []]
    messages = [Message("system", (Text(system),))] if system else []
    events = respond(engine, [*messages, user(question, *media)], options, execute=functions)
    write_json(events) if as_json else write_answer(events)


def _tools(path: Path | None) -> Functions | None:
    """The tools of a file, whose code may print whenever it runs: from here on stdout is for answers alone."""
    if path is None:
        return None
    answers.keep_others_out()
    return load_tools(path)


@cli.command()
def chat(
    history: Annotated[
        Path | None, typer.Option("--history", metavar="FILE", help="Go on with this conversation, and keep it there.")
    ] = None,
    budget: BudgetOption = None,
    video_budget: VideoBudgetOption = DEFAULT_VIDEO_BUDGET,
    think: ThinkOption = False,
    thinking_budget: ThinkingBudgetOption = None,
    system: SystemOption = None,
    tools: ToolsOption = None,
    schema: SchemaOption = None,
    stop: StopOption = None,
    seed: SeedOption = None,
    temperature: TemperatureOption = None,
    max_tokens: MaxTokensOption = 4096,
    logprobs: LogprobsOption = 0,
    own_template: OwnTemplateOption = False,
    model: ModelOption = None,
) -> None:
    """Talk with the model in the terminal. /help says what else it takes; Ctrl-C stops an answer."""
    functions = _tools(tools)
    options = make_options(
        think=think,
        thinking_budget=thinking_budget,
        temperature=temperature,
        seed=seed,
        max_tokens=max_tokens,
        stop=stop,
        schema=schema,
        tools=functions,
        own_template=own_template,
        num_logprobs=logprobs,
    )
    conversation = Conversation.open(history, system)
    Chat(load_engine(model), conversation, options, functions, budget or DEFAULT_BUDGET, video_budget).run()


@cli.command()
def ocr(
    files: Annotated[list[Path], typer.Argument(help="Pictures to read.", metavar="FILE...", readable=False)],
    form: Annotated[
        str, typer.Option("--as", metavar="FORM", callback=one_of(FORMS), help=f"What to write: {', '.join(FORMS)}.")
    ] = "text",
    question: Annotated[
        str | None, typer.Option("--question", metavar="TEXT", help="Answer this about each picture instead.")
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE.json", help="With --as json: the fields to look for, as a JSON Schema."),
    ] = None,
    budget: BudgetOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the text in pictures."""
    if question is not None and form != "text":
        raise typer.BadParameter("a question cannot be combined with --as", param_hint="--question")
    fields = load_schema(schema) if schema else None
    if fields is not None and form != "json":
        raise typer.BadParameter("a schema needs --as json", param_hint="--schema")
    engine = load_engine(model)

    def read(path: Path) -> Iterator[Event]:
        soft_tokens = budget or default_budget(engine)
        if question is not None:
            return ask_picture(engine, path, soft_tokens, question)
        return read_text(engine, path, soft_tokens, cast(Form, form), fields)

    _each(files, read, as_json=as_json, whole="" if form in ("text", "markdown") else form.upper())


@cli.command()
def transcribe(
    files: Annotated[
        list[Path], typer.Argument(help="Sounds of any length, or videos.", metavar="FILE...", readable=False)
    ],
    form: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="FORM",
            callback=one_of(RECORDING_FORMATS),
            help=f"What to write: {', '.join(RECORDING_FORMATS)}.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", readable=False, help="Write a file for each into this folder; else stdout."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="With --out: go on where an earlier run was stopped, and leave what is there."),
    ] = False,
    language: Annotated[
        str | None, typer.Option("--language", metavar="NAME", help="What is spoken, in English: German, Japanese, ...")
    ] = None,
    translate: Annotated[
        str | None, typer.Option("--translate", metavar="NAME", help="Translate it into this language as well.")
    ] = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write down what is said in sounds and videos."""
    if resume and out is None:
        raise typer.BadParameter("it goes on with files in --out DIR", param_hint="--resume")
    if as_json and (form or out):
        raise typer.BadParameter("events cannot be combined with --as or --out", param_hint="--json")
    transcription = Transcription(
        load_engine(model), language or "", translate or "", cast(RecordingFormat | None, form), out, resume, as_json
    )
    failed = False
    for path in files:
        if len(files) > 1 and not as_json and out is None:
            write_line(f"==> {path} <==")
        try:
            failed |= not transcription.write(path)
        except EngineError as error:
            failed = True
            say(str(error), "red")
    if failed:
        raise typer.Exit(1)


def _each(files: Sequence[Path], answer: Callable[[Path], Iterable[Event]], *, as_json: bool, whole: str = "") -> None:
    """Write an answer for each file; one bad file must not stop the rest.

    whole: what the answer is worth nothing as when it was cut off, e.g. "JSON".
    """
    failed = False
    for path in files:
        try:
            events = answer(path.absolute())
            if as_json:
                ending = write_json(events, file=str(path))
            else:
                if len(files) > 1:
                    typer.echo(f"==> {path} <==")
                ending = write_answer(events)
            if whole and ending != "end_of_turn":
                failed = True
                say(f"“{path.name}”: the {whole} is cut off and not complete. Read the picture in pieces.", "red")
        except EngineError as error:
            failed = True
            say(str(error), "red")
    if failed:
        raise typer.Exit(1)


@cli.command()
def selftest(as_json: JsonOption = False) -> None:
    """Check this installation: load the sample, read pictures drawn on the spot, listen to a clip."""
    report = run_selftest()
    if as_json:
        typer.echo(json_line(report))
        return
    for name, value in report.versions.items():
        typer.echo(f"{name:12} {value}")
    typer.echo(f"{'backend':12} {report.backend}, {report.compute_dtype}")
    typer.echo(f"{'multiplies':12} {report.multiplies_with}, {report.gmac_per_second:.1f} GMAC/s")
    typer.echo(f"{'memory':12} {report.peak_memory_bytes / 2**20:.0f} MiB at most")
    for drawn, text in report.read.items():
        typer.echo(f"{'read':12} {drawn!r} as {text!r}")
    for said, text in report.heard.items():
        typer.echo(f"{'heard':12} {said!r} as {text!r}")
    typer.echo("ok")


@benches.callback()
def bench(
    context: typer.Context,
    model: ModelOption = None,
    against: Annotated[
        str, typer.Option(metavar="NAMES", help="Measure these beside it, with commas: json-mask, mlx-lm, mlx-vlm.")
    ] = "",
    rounds: Annotated[
        int, typer.Option(parser=whole_number(1), metavar="N", help="Interleaved repetitions; medians are reported.")
    ] = 3,
    prompt_tokens: Annotated[
        int, typer.Option(parser=whole_number(1), metavar="N", help="Length of the prompt.")
    ] = 512,
    new_tokens: Annotated[int, typer.Option(parser=whole_number(2), metavar="N", help="Tokens to write.")] = 128,
) -> None:
    """Measure load, time to first token, prefill, decode and memory; prints JSON."""
    if context.invoked_subcommand is not None:
        return
    names = [name.strip() for name in against.split(",") if name.strip()]
    report = bench_report(model or sample_checkpoint(), names, rounds, prompt_tokens, new_tokens)
    typer.echo(json.dumps(report, indent=2))


@benches.command("documents")
def bench_documents(
    folder: Annotated[Path, typer.Argument(help="Files with their right texts in truth.json.", metavar="FOLDER")],
    model: ModelOption = None,
    pages: Annotated[int, typer.Option(parser=whole_number(1), metavar="N", help="Of each file, at most.")] = 1000,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="Also measure how fast it is with one piece at a time.")
    ] = False,
) -> None:
    """Measure how well and how fast the pages of known documents are read as pictures; prints JSON."""
    report = document_report(load_engine(model), folder, pages, one_by_one=one_by_one)
    typer.echo(json.dumps(report, indent=2))


@models.command()
def quantize(
    source: Annotated[
        Path, typer.Argument(help="Folder of a model that is not quantized yet.", metavar="SRC", readable=False)
    ],
    destination: Annotated[Path, typer.Argument(help="New folder for the smaller model.", metavar="DST")],
    bits: Annotated[
        int,
        typer.Option(
            "--bits", metavar="N", parser=one_of_numbers(get_args(Bits)), help="Bits of most weights: 4, 6, 8."
        ),
    ] = 4,
    as_json: JsonOption = False,
) -> None:
    """Write a model in fewer bits, in the layout of MLX conversions.

    DST appears when it is complete. What a stopped run leaves is DST.cabochon-unfinished: the next run to DST clears
    it, or delete it.
    """

    def write(kind: str, **values: object) -> None:
        typer.echo(json_line({"event": kind, **values}))

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
            typer.echo(json_line(Failed(type(error).__name__, str(error))))
            raise
        write("quantized", folder=str(done.folder), size_bytes=done.size_bytes, source_bytes=done.source_bytes)
        return
    columns = Progress.get_default_columns()
    progress_bar = Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal)
    with _ending_in_order(), progress_bar as progress:
        task = progress.add_task(f"{source.name} to {bits} bits", total=1.0)
        done = quantize_checkpoint(
            source, destination, cast(Bits, bits), lambda fraction: progress.update(task, completed=fraction)
        )
    num_lossless = sum(packing.is_on_grid for packing in done.packings.values())
    if num_lossless:
        notes.print(f"{num_lossless} of {len(done.packings)} weights were made for 4 bits and lost nothing.")
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
