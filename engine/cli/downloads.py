"""`models download`: told here, brought by whoever may open a connection, which the engine may not."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from engine.checkpoint.catalog import catalogued
from engine.checkpoint.config import is_drafter
from engine.checkpoint.drafter import check_drafter
from engine.checkpoint.fit import in_words
from engine.cli.arguments import JsonOption
from engine.cli.output import failing_aloud, json_line, notes, say, shown
from engine.cli.progress import ending_in_order, time_in_words
from engine.engine import Engine
from engine.protocol.errors import EngineError

__all__ = ["Coming", "Fetch", "download"]


class Coming(Protocol):
    """How far a download is."""

    @property
    def done_bytes(self) -> int:
        """What came, of `total_bytes`."""

    @property
    def total_bytes(self) -> int:
        """Of all files."""

    @property
    def bytes_per_second(self) -> float | None:
        """None while nobody can tell."""

    @property
    def seconds_left(self) -> float | None:
        """None while nobody can tell."""

    @property
    def note(self) -> str:
        """What it waits for, as a sentence; empty while it goes on."""


class Fetch(Protocol):
    """Brings a repository of the hub to a folder, or to the shared cache; goes on with what an earlier run left."""

    def __call__(
        self,
        repository: str,
        revision: str,
        to: Path | None,
        check: Callable[[Path], object],
        tell: Callable[[Coming], None],
    ) -> Path:
        """Return the model's folder, which `check` accepted; raises EngineError."""


def download(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="A repository of the hub, or its name alone if `models list --catalog` has it.", metavar="REPO|NAME"
        ),
    ],
    revision: Annotated[str, typer.Option("--revision", metavar="R", help="A branch, a tag or a commit.")] = "main",
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FOLDER", readable=False, help="A new folder for it, instead of the Hugging Face cache."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Download a model: only the files it needs, each checked against its hash.

    What a stopped run leaves is kept, and the same command goes on with it.
    """
    fetch: Fetch | None = context.obj
    if fetch is None:
        raise EngineError("This program opens no connections. Download with cabochon models download.")
    listed = catalogued(name)
    repository = listed.repository if listed else name
    told = _JsonLines() if as_json else _Bar(repository)
    with failing_aloud(as_json), ending_in_order(), told:
        folder = fetch(repository, revision, to, _check, told.tell)
    typer.echo(json_line({"event": "downloaded", "folder": str(folder)}) if as_json else shown(folder))


def _check(folder: Path) -> None:
    """A model or a drafter, as the engine would load it."""
    if is_drafter(folder):
        check_drafter(folder)
    else:
        Engine.check(folder)


class _JsonLines:
    """A line of JSON for each hundredth, and for each note."""

    def __init__(self) -> None:
        self._last = (-1, "")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def tell(self, coming: Coming) -> None:
        """Write one, if it is another."""
        now = (100 * coming.done_bytes // max(1, coming.total_bytes), coming.note)
        if now != self._last:
            self._last = now
            line = {
                "event": "download_progress",
                "done_bytes": coming.done_bytes,
                "total_bytes": coming.total_bytes,
                "bytes_per_second": coming.bytes_per_second and round(coming.bytes_per_second),
                "seconds_left": coming.seconds_left and round(coming.seconds_left),
                "note": coming.note,
            }
            typer.echo(json_line(line))


class _Bar:
    """A bar on a terminal, elsewhere a line for each tenth; notes on lines of their own. All on stderr."""

    def __init__(self, name: str) -> None:
        self._name = shown(name)
        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
            TextColumn("{task.fields[left]}"),
        )  # fmt: skip
        self._bar = Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal)
        self._task = self._bar.add_task(self._name, total=None, left="")
        self._note, self._tenth = "", 0

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, coming: Coming) -> None:
        """Show how far it is."""
        left = time_in_words(coming.seconds_left)
        self._bar.update(self._task, completed=coming.done_bytes, total=coming.total_bytes, left=left)
        tenth = 10 * coming.done_bytes // max(1, coming.total_bytes)
        if tenth > self._tenth and not notes.is_terminal:
            say(f"{self._name}: {10 * tenth} % of {in_words(coming.total_bytes)}{left and f', {left}'}", "dim")
        if coming.note and coming.note != self._note:
            say(coming.note, "yellow")
        self._note, self._tenth = coming.note, tenth
