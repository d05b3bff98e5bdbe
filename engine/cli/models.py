"""`cabochon models`: what is on the disk and what could be, whether it fits, fewer bits, removal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.progress import Progress

from engine.backend import this_machine
from engine.checkpoint.catalog import CATALOG, COMFORT, catalogued, recommended
from engine.checkpoint.fit import fit, in_words
from engine.checkpoint.found import find_models, known_places, look_at_model
from engine.checkpoint.quantize import Bits, quantize_checkpoint
from engine.checkpoint.removal import plan_removal
from engine.checkpoint.sample import sample_checkpoint
from engine.cli.arguments import BudgetOption, JsonOption, one_of_numbers, whole_number
from engine.cli.output import failing_aloud, json_line, notes, say, shown
from engine.cli.progress import ending_in_order
from engine.engine import Engine
from engine.protocol.errors import CheckpointError, quoted
from engine.protocol.models import CatalogModel, Fit, FoundModel, Machine, Shapes, Use

__all__ = ["models"]

models = typer.Typer(
    help="Work on models: those on this disk, and those that could be.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModelArgument = Annotated[
    str,
    typer.Argument(help="Its folder, or the name of one that is found or can be downloaded.", metavar="MODEL"),
]
FolderArgument = Annotated[
    list[Path] | None, typer.Argument(help="Look into these folders too.", metavar="FOLDER...", readable=False)
]


@models.command("list")
def list_models(
    folders: FolderArgument = None,
    catalog: Annotated[bool, typer.Option("--catalog", help="List what can be downloaded instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the models on this disk, wherever a program keeps them; what cannot be used is listed with its reason."""
    listed: Iterator[CatalogModel | FoundModel] = iter(CATALOG) if catalog else find_models(folders or [])
    machine = this_machine()
    best = recommended(machine) if catalog else None
    is_empty = True
    for model in listed:
        is_empty = False
        if as_json:
            typer.echo(json_line(model))
        elif isinstance(model, CatalogModel):
            typer.echo(f"{_catalog_line(model, machine)}{' Recommended here.' if model == best else ''}")
        else:
            typer.echo(shown(_found_line(model, machine)))
    if is_empty:
        say("No model was found. `cabochon models list --catalog` shows what can be downloaded.", "dim")


def _catalog_line(model: CatalogModel, machine: Machine) -> str:
    size, verdict = in_words(model.download_bytes), _verdict(model.shapes, machine)
    return f"{model.repository}: {model.size}, {model.form}, about {size}, {verdict}. {model.good_for}"


def _found_line(model: FoundModel, machine: Machine) -> str:
    if model.shapes is None:
        return f"{model.path}: cannot be used. {model.refusal}"
    size = in_words(model.size_bytes)
    return f"{model.path}: {model.size}, {model.form}, {size}, {_verdict(model.shapes, machine)}"


def _verdict(shapes: Shapes, machine: Machine) -> str:
    """Whether it fits a usual task, in words."""
    words = {"fits": "fits", "tight": "fits, tightly", "too_big": "too big for this machine"}
    return words[fit(shapes, machine, COMFORT).verdict]


@models.command()
def info(model: ModelArgument, as_json: JsonOption = False) -> None:
    """Say what a model is; a folder is checked as it is before loading, in every header."""
    found = _find(model)
    if isinstance(found, FoundModel):
        with failing_aloud(as_json):
            Engine.check(found.path)  # in more depth than a search looks
    if as_json:
        typer.echo(json_line(found))
        return
    shapes = found.shapes
    assert shapes is not None, "it was checked"
    where = found.path if isinstance(found, FoundModel) else found.repository
    num_bytes = found.size_bytes if isinstance(found, FoundModel) else found.download_bytes
    rows = {
        "model": where,
        "size": found.size,
        "weights": f"{found.form}, {in_words(num_bytes)}",
        "takes": ", ".join(shapes.modalities),
        "context": f"{shapes.context_length:,} tokens",
        "memory": _verdict(shapes, this_machine()),
    }
    if isinstance(found, CatalogModel):
        rows |= {"licence": found.licence, "good for": found.good_for}
    for name, value in rows.items():
        typer.echo(f"{name:10} {shown(value)}")


@models.command("fit")
def fit_model(
    model: ModelArgument,
    context: Annotated[
        int, typer.Option("--context", parser=whole_number(1), metavar="N", help="Tokens asked and answered.")
    ] = COMFORT.context,
    budget: BudgetOption = None,
    sound: Annotated[bool, typer.Option("--sound", help="With a sound of 30 seconds.")] = False,
    rows: Annotated[
        int, typer.Option("--rows", parser=whole_number(1), metavar="N", help="Answers written at once.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Say how much memory a use of a model needs here, and what would make it less. All figures are predicted.

    Ends with status 1 where it does not fit.
    """
    found = _find(model)
    if found.shapes is None:
        raise CheckpointError(f"{found.path}: {found.refusal}" if isinstance(found, FoundModel) else found.repository)
    machine = this_machine()
    result = fit(found.shapes, machine, Use(context, COMFORT.budget if budget is None else budget, sound, rows))
    if as_json:
        typer.echo(json_line({"machine": machine, "needed_bytes": result.needed_bytes, "fit": result}))
    else:
        for line in _fit_lines(result):
            typer.echo(line)
    if result.verdict == "too_big":
        raise typer.Exit(1)


def _fit_lines(result: Fit) -> Iterator[str]:
    words = {"fits": "It fits", "tight": "It fits, tightly", "too_big": "It is too big"}
    needed, given = in_words(result.needed_bytes), in_words(result.available_bytes)
    yield f"{words[result.verdict]}: {needed} of {given}."
    parts = {
        "weights": result.weights_bytes,
        "context": result.context_bytes,
        "media": result.media_bytes,
        "work": result.work_bytes,
    }
    for name, num_bytes in parts.items():
        yield f"{name:10} {in_words(num_bytes) if num_bytes else '-'}"
    for lever in result.levers:
        yield f"{lever.words}{'' if lever.is_enough else ', which is not enough'}"


@models.command()
def remove(
    model: ModelArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a model from a folder that a program keeps models in. Asks first; nothing that others share goes."""
    found = _find(model)
    if not isinstance(found, FoundModel):
        raise CheckpointError(f"{found.repository} is not on this disk, as far as the usual folders show.")
    with failing_aloud(as_json):
        removal = plan_removal(Path(found.path), known_places())
        if not yes:
            question = f"Delete {shown(removal.model)} ({in_words(removal.size_bytes)}) for good?"
            if not typer.confirm(question, err=True):
                raise typer.Exit(1)
        removal.carry_out()
    removed = [str(path) for path in removal.paths]
    if as_json:
        typer.echo(json_line({"event": "removed", "paths": removed, "size_bytes": removal.size_bytes}))
    else:
        rest = ". What else its folder holds stays." if removal.keeps else ""
        typer.echo(f"{shown(removal.model)}: removed, {in_words(removal.size_bytes)} are free again{rest}")


def _find(name: str) -> CatalogModel | FoundModel:
    """A folder by its path, else a model on the disk or of the catalog by its name; raises CheckpointError."""
    path = Path(name).expanduser()
    if path.exists():
        return look_at_model(path.absolute())
    wanted = name.lower()
    if wanted == "sample":
        return look_at_model(sample_checkpoint())
    for found in find_models():
        if wanted in (found.repository.lower(), found.name.lower()) and found.shapes is not None:
            return found
    listed = catalogued(name)
    if listed is not None:
        return listed
    raise CheckpointError(
        f"There is no model {quoted(name)}. Name a folder, or one of `cabochon models list` or `… list --catalog`."
    )


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

    DST appears when it is complete. What a stopped run leaves is DST.cabochon-quantized: the next run to DST clears it,
    or delete it.
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
        with failing_aloud(as_json), ending_in_order():
            done = quantize_checkpoint(source, destination, cast(Bits, bits), write_progress)
        write("quantized", folder=str(done.folder), size_bytes=done.size_bytes, source_bytes=done.source_bytes)
        return
    columns = Progress.get_default_columns()
    progress_bar = Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal)
    with ending_in_order(), progress_bar as progress:
        task = progress.add_task(f"{source.name} to {bits} bits", total=1.0)
        done = quantize_checkpoint(
            source, destination, cast(Bits, bits), lambda fraction: progress.update(task, completed=fraction)
        )
    num_lossless = sum(packing.is_on_grid for packing in done.packings.values())
    if num_lossless:
        notes.print(f"{num_lossless} of {len(done.packings)} weights were made for 4 bits and lost nothing.")
    typer.echo(f"{done.folder}: {in_words(done.size_bytes)}, from {in_words(done.source_bytes)}")
