"""The commands: ask, chat, ocr, transcribe, selftest, bench, models. Answers go to stdout, everything else to stderr.

Exit status 0, 1 (it could not be done, said in one sentence), 2 (wrong usage) or 130 (stopped).
"""

import io
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast, get_args

import msgspec
import typer

from engine import version
from engine.agent.loop import respond
from engine.agent.tools import Functions
from engine.backend import backend_name, obey_environment, use_cpu
from engine.bench.check import LAST, NEW_TOKENS, check_model
from engine.bench.documents import document_report
from engine.bench.fit import fit_line, fit_report
from engine.bench.run import bench_report, check_peers
from engine.bench.table import ROWS, as_markdown, table_report
from engine.checkpoint.sample import sample_checkpoint
from engine.cli.arguments import (
    BudgetOption,
    DraftOption,
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
    folder_to_write,
    load_engine,
    load_password,
    load_schema,
    load_tools,
    make_options,
    one_of,
    one_of_numbers,
    ranges_of_pages,
    video_parts,
    whole_number,
)
from engine.cli.chat import Chat, Conversation
from engine.cli.documents import FORMS, Wanted, read_documents
from engine.cli.downloads import Fetch, download
from engine.cli.models import models
from engine.cli.output import answers, json_line, say, shown, write_answer, write_json, write_line
from engine.cli.recordings import Transcription
from engine.protocol.documents import Reading, ReadingForm, Turned, Way
from engine.protocol.errors import EngineError, shortened
from engine.protocol.messages import DEFAULT_BUDGET, DEFAULT_VIDEO_BUDGET, Media, Message, Picture, Sound, Text, user
from engine.recordings.forms import RECORDING_FORMATS, RecordingFormat
from engine.tasks.kernels import OPERATIONS, check_kernels
from engine.tasks.selftest import SelfTestFailed, run_selftest

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
cli.add_typer(models, name="models")
models.command()(download)
benches = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.add_typer(benches, name="bench")


def run_command_line(arguments: Sequence[str], fetch: Fetch | None = None) -> int:
    """Run one command and return its exit status; a person's mistake is one sentence, never a traceback.

    `fetch` brings models from the hub: the engine itself opens no connection.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character shows a question mark
            stream.reconfigure(errors="replace")
    obey_environment()
    try:
        cli(args=list(arguments), prog_name="cabochon", obj=fetch)
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
    draft: DraftOption = "auto",
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
        draft=draft,
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
    draft: DraftOption = "auto",
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
        draft=draft,
    )
    conversation = Conversation.open(history, system)
    Chat(load_engine(model), conversation, options, functions, budget or DEFAULT_BUDGET, video_budget).run()


@cli.command()
def ocr(
    files: Annotated[
        list[Path],
        typer.Argument(help="PDFs, pictures, or folders of them.", metavar="FILE|FOLDER...", readable=False),
    ],
    pages: Annotated[
        str,
        typer.Option(
            "--pages",
            metavar="RANGES",
            callback=ranges_of_pages,
            help="Which pages of each document, e.g. 1-3,7,10-.",
        ),
    ] = "",
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORM",
            callback=one_of(list(FORMS)),
            help=f"What to write: {', '.join(FORMS)}. The last three are files; the others are too with --out. "
            "json is the fields of each page on stdout, and with --out or --compare the document: its pages, lines "
            "and their places.",
        ),
    ] = "text",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", callback=folder_to_write, help="Write a file for each document there."),
    ] = None,
    way: Annotated[
        str,
        typer.Option(
            "--way",
            metavar="WAY",
            callback=one_of(("auto", *get_args(Way))),
            help="Where the text comes from: auto, the file's own text (layer), or the picture of the page: "
            "as a whole (page), in overlapping tiles, or in pieces of its lines.",
        ),
    ] = "auto",
    turned: Annotated[
        int | None,
        typer.Option(
            "--turn", metavar="N", parser=one_of_numbers(get_args(Turned)), help="Turn pages by 0, 90, 180 or 270."
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Read a text layer's pages too; --as json marks lines that differ.")
    ] = False,
    join: Annotated[bool, typer.Option("--join", help="In files: join lines into paragraphs.")] = False,
    question: Annotated[
        str | None, typer.Option("--question", metavar="TEXT", help="Answer this about each page instead.")
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE.json", help="With --as json: the fields to look for, as a JSON Schema."),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", readable=False, help="Holds the password of locked PDFs."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="With --out: go on where an earlier run was stopped, and leave what is there."),
    ] = False,
    budget: BudgetOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read documents: PDFs, scans, photographs. A good text layer is taken as it is, all else is read."""
    if question is not None and form != "text":
        raise typer.BadParameter("a question cannot be combined with --as", param_hint="--question")
    if schema is not None and form != "json":
        raise typer.BadParameter("a schema needs --as json", param_hint="--schema")
    if resume and out is None:
        raise typer.BadParameter("it goes on with files in --out FOLDER", param_hint="--resume")
    kind = FORMS[form]
    is_file = out is not None or kind.is_file
    asked: ReadingForm = "question" if question is not None else kind.asked
    is_document = form == "json" and schema is None and (is_file or compare)
    if is_document:
        asked = "text"
    reading = msgspec.convert(
        {
            "way": way,
            "form": asked,
            "schema": load_schema(schema) if schema else None,
            "question": question or "",
            "budget": budget,
            "turned": turned,
            "compares": compare,
        },
        Reading,
    )
    wanted = Wanted(
        reading,
        pages,
        kind.format if is_file or is_document else None,
        is_file,
        out,
        join,
        load_password(password_file),
        resume,
        as_json,
        model,
    )
    if not read_documents(files, wanted):
        raise typer.Exit(1)


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
            "--out",
            metavar="DIR",
            readable=False,
            callback=folder_to_write,
            help="Write a file for each into this folder; else stdout.",
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
            write_line(f"==> {shown(path)} <==")
        try:
            failed |= not transcription.write(path)
        except EngineError as error:
            failed = True
            say(str(error), "red")
    if failed:
        raise typer.Exit(1)


@cli.command()
def selftest(
    as_json: JsonOption = False,
    device: Annotated[
        str | None,
        typer.Option(
            parser=one_of(("gpu", "cpu")), metavar="gpu|cpu", help="Where to compute; the GPU, if there is one."
        ),
    ] = None,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Compare each operation of the models with the CPU; needs no model.")
    ] = False,
) -> None:
    """Check this installation: load the sample, read pictures drawn on the spot, listen to a clip."""
    if device == "cpu":
        use_cpu()
    elif device == "gpu" and backend_name() == "cpu":
        raise EngineError("There is no GPU that MLX can use here. Leave out --device, or choose cpu.")
    if kernels:
        _check_kernels(as_json)
        return
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
    if report.advice:
        typer.echo(report.advice)
    typer.echo("ok")


@cli.command()
def check(
    model: ModelOption = None,
    against: Annotated[
        str, typer.Option(metavar="NAMES", help="Compute the same with these, with commas: mlx-lm, mlx-vlm.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Check what a model computes here: its decoding beside a whole pass, a picture, a sound, and peers."""
    report = check_model(model or sample_checkpoint(), [name.strip() for name in against.split(",") if name.strip()])
    if as_json:
        typer.echo(json_line(report))
        return
    typer.echo(f"{'steps':12} at most {report.shortfall:.1e} below a whole pass")
    for what, said in (("answer", report.answer), ("read", report.read), ("heard", report.heard)):
        if said:
            typer.echo(f"{what:12} {shortened(said)!r}")
    for name, found in report.beside.items():
        typer.echo(
            f"{name:12} logits differ by {found.largest_difference:.1e}, the likeliest token is the same at "
            f"{found.same_first} of {LAST} positions, the answer's first {found.same_tokens} of {NEW_TOKENS} tokens are"
        )
        for sense, difference in found.features.items():
            typer.echo(f"{'':12} what it makes of the {sense} differs by {difference:.1e}")
        typer.echo(f"{'':12} known: {found.known_fault}")
    typer.echo("ok")


def _check_kernels(as_json: bool) -> None:
    wrong = 0
    for result in check_kernels(OPERATIONS):
        wrong += bool(result.problem)
        if as_json:
            typer.echo(json_line(result))
        else:
            typer.echo(
                f"{result.name:60} {result.milliseconds:9.1f} ms  {result.problem or f'{result.difference:.1e}'}"
            )
    if wrong:
        raise SelfTestFailed(
            f"{wrong} of {len(OPERATIONS)} operations are wrong on this {backend_name()}: models may answer nonsense."
        )
    if not as_json:
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


@benches.command("table")
def bench_table(
    folders: Annotated[list[Path], typer.Argument(help="Model folders.", metavar="MODEL...", readable=False)],
    against: Annotated[str, typer.Option(metavar="NAMES", help="Peers, with commas: mlx-lm, mlx-vlm.")] = "",
    only: Annotated[
        str, typer.Option(metavar="WORDS", help="Rows whose names begin with one of these, with commas.")
    ] = "",
    rounds: Annotated[int, typer.Option(parser=whole_number(1), metavar="N", help="Of each row, at least.")] = 5,
    minutes: Annotated[
        int, typer.Option(parser=whole_number(0), metavar="N", help="After which nothing is repeated, for each model.")
    ] = 8,
    as_json: JsonOption = False,
) -> None:
    """Measure every kind of work beside other engines, or beside the same without what is kept or drafted."""
    names = [name.strip() for name in against.split(",") if name.strip()]
    words = tuple(word.strip() for word in only.split(",") if word.strip()) or ("",)
    rows = [row for row in ROWS if row.name.startswith(words)]
    for folder in folders:
        lines = table_report(folder, check_peers(names), rounds, minutes, rows)
        if as_json:
            for line in lines:
                typer.echo(json_line({"model": folder.name, **line.summary}))
            continue
        typer.echo(f"\n{folder.name}\n")
        for text in as_markdown(lines):
            typer.echo(text)


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


@benches.command("fit")
def bench_fit(
    folders: Annotated[list[Path], typer.Argument(help="Model folders.", metavar="MODEL...", readable=False)],
    context: Annotated[
        list[int] | None,
        typer.Option("--context", parser=whole_number(1), metavar="N", help="Tokens of a conversation; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the memory that is predicted for models with the peak that is measured on this machine."""
    for figures in fit_report(folders, context or [1024]):
        typer.echo(json_line(figures) if as_json else fit_line(figures))
