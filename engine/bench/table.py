"""`cabochon bench table`: every kind of work beside other engines, or beside what it would cost without what we keep.

Each engine is loaded once, in a process of its own, and told what to do in turns (A B C, C B A, …), so that only one of
them computes at a time. A row is repeated until its ratio is known well enough to be told from 1, and from its bar, or
until the time is over; then it says that it is not.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from engine.bench.run import BenchFailed
from engine.bench.workloads import ENGINES, FILE_TABLE, OURS, PAGE_TOKENS, RECEIPTS, TEXT_TOKENS

__all__ = ["ROWS", "Line", "Row", "as_markdown", "table_report"]

LONGEST_S = 30.0
"""For the rounds of one row."""

Task = tuple[str | int, ...]
"""The name of a piece of work, and its arguments."""


@dataclass(frozen=True)
class Row:
    """One kind of work: ours, and what it is compared with."""

    name: str
    task: Task
    bar: float
    """The ratio to the other that is aimed at: no more than this."""
    figure: str = "s"
    other_task: Task | None = None
    """Of ours, in place of peers."""
    other_figure: str = ""
    ours: str = OURS

    @property
    def compared(self) -> Task:
        """What the other one does."""
        return self.other_task or self.task


ROWS = (
    Row("active memory, text", ("memory",), 1.01, "bytes"),
    Row("active memory, the table in the file", ("memory",), 0.54, "bytes", ours=FILE_TABLE),
    *(Row(f"first token at {length:,}", ("first", length), bar)
      for length, bar in ((32, 0.8), (128, 0.8), (512, 0.8), (1024, 0.53), (4096, 0.25), (16_384, 0.17))),
    Row("second turn, 35 new tokens", ("second_turn",), 0.8),
    Row("a token", ("decode", 64), 0.77),
    *(Row(f"a token of {count} rows, beside one", ("rows", count), bar, other_task=("rows", 1))
      for count, bar in ((2, 0.59), (4, 0.33), (8, 0.18))),
    *(Row(f"{name}, beside cold", ("turns",), bar, figure, ("turns",), "cold")
      for name, figure, bar in (
          ("second turn after a stripped thought", "stripped", 0.05), ("answer again", "again", 0.05),
          ("back from another conversation", "back", 0.05), ("after a restart, from the disk", "disk", 0.15),
      )),
    Row("second turn about a picture, beside cold", ("picture_turns",), 0.05, "next", ("picture_turns",), "cold"),
    Row("second picture, beside cold", ("picture_turns",), 0.6, "second", ("picture_turns",), "cold second"),
    Row("picture at 280", ("picture", 280), 0.5),
    Row("picture at 1,120", ("picture", 1120), 0.6),
    Row("its peak memory", ("picture", 1120), 1.0, "bytes"),
    Row(f"a page of print at 280, {PAGE_TOKENS} tokens", ("page", 280, PAGE_TOKENS), 0.8),
    *(Row(f"a page of {count} at once, {TEXT_TOKENS} tokens, beside one", ("pages", count), bar,
          other_task=("pages", 1))
      for count, bar in ((2, 0.7), (4, 0.5), (8, 0.5))),
    Row(f"a page of a queue of {RECEIPTS} files, beside one by one", ("queue", RECEIPTS), 0.5, other_task=("queue", 1)),
    Row("preparing a picture at 280", ("prepare", 280), 1.0),
    Row("30 s of sound", ("sound",), 0.8),
    Row("a page written again, beside no drafts", ("lookup",), 0.67, "auto", ("lookup",), "off"),
    Row("a page that is not found again, beside no drafts", ("unlike",), 1.03, "auto", ("unlike",), "off"),
    Row("a token, the table in the file", ("decode", 64), 1.05, other_task=("decode", 64), ours=FILE_TABLE),
)  # fmt: skip


@dataclass
class Line:
    """What came of a row so far: a figure of each round by engine."""

    row: Row
    figures: dict[str, list[float]] = field(default_factory=dict)
    error: str = ""

    @property
    def other(self) -> str:
        """The best of those it is compared with; empty where there is none."""
        others = {name: median(values) for name, values in self.figures.items() if name != "ours"}
        return min(others, key=others.__getitem__, default="")

    @property
    def ratios(self) -> list[float]:
        """Ours to the other, round by round."""
        if not self.other or "ours" not in self.figures:
            return []
        return [a / b for a, b in zip(self.figures["ours"], self.figures[self.other], strict=False) if b]

    @property
    def ratio(self) -> float:
        """Their median."""
        return median(self.ratios)

    @property
    def noise(self) -> float:
        """Half of what the middle half of the rounds spans."""
        ordered = sorted(self.ratios)
        quarter = len(ordered) // 4
        return (ordered[-1 - quarter] - ordered[quarter]) / 2

    @property
    def summary(self) -> dict[str, object]:
        """For JSON."""
        medians = {name: median(values) for name, values in self.figures.items()}
        known = {"ratio": round(self.ratio, 4), "noise": round(self.noise, 4)} if self.ratios else {}
        return {"work": self.row.name, "bar": self.row.bar, **known, "median": medians, "rounds": self.figures,
                "error": self.error}  # fmt: skip

    @property
    def is_settled(self) -> bool:
        """Whether the ratio can be told from 1 and from the bar."""
        return not self.ratios or all(abs(self.ratio - each) > self.noise for each in (1.0, self.row.bar))


class _Engine:
    """A process that waits for work."""

    def __init__(self, name: str, model: Path) -> None:
        if getattr(sys, "frozen", False):
            raise BenchFailed("The table can be measured from a source checkout only.")
        self._folder = tempfile.TemporaryDirectory(prefix="cabochon-bench-")
        command = [sys.executable, "-m", "engine.bench.workloads", name, str(model), self._folder.name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._failed = self._figures()
        self._done: dict[tuple[Task, int], dict[str, Any]] = {}

    def do(self, task: Task, number: int) -> dict[str, Any]:
        """The figures of a task in a round; with an "error" if it could not be done, nothing where there is no such.

        Rows that come of the same work share it.
        """
        if (task, number) not in self._done:
            self._done[task, number] = self._failed or self._work(task)
        return self._done[task, number]

    def _work(self, task: Task) -> dict[str, Any]:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
        return self._figures()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _figures(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found: dict[str, Any] = json.loads(line) if line else {"error": "it ended"}
        return found


def table_report(
    model: Path, against: Sequence[str], rounds: int, minutes: float, rows: Sequence[Row] = ROWS
) -> Iterator[Line]:
    """The rows in their order, each as soon as it is settled; those that need more rounds once all were measured.

    rounds: of each row at least, if they do not take longer than `LONGEST_S`. minutes: after which none is repeated.
    """
    end = time.monotonic() + 60 * minutes
    with contextlib.ExitStack() as stack:
        engines = {
            name: stack.enter_context(contextlib.closing(_Engine(name, model)))
            for name in (OURS, FILE_TABLE, *against)
            if name in ENGINES
        }
        lines = [Line(row) for row in rows]
        for line in lines:
            began, number = time.monotonic(), 0
            while number < rounds and (number == 0 or time.monotonic() - began < LONGEST_S):
                _measure(line, engines, against, number)
                number += 1
            if line.is_settled:
                yield line
        open_lines = [line for line in lines if not line.is_settled]
        number = rounds
        while open_lines and time.monotonic() < end:
            for line in open_lines:
                if time.monotonic() < end:
                    _measure(line, engines, against, number)
            yield from (line for line in open_lines if line.is_settled)
            open_lines, number = [line for line in open_lines if not line.is_settled], number + 1
        yield from open_lines


def _measure(line: Line, engines: Mapping[str, _Engine], against: Sequence[str], number: int) -> None:
    """One round of a row."""
    row = line.row
    if row.other_task == row.task and row.other_figure:  # both come of the same work
        found = engines[row.ours].do(row.task, number)
        _note(line, "ours", found, row.figure)
        _note(line, "cold" if "cold" in row.other_figure else row.other_figure, found, row.other_figure)
        return
    others = [(OURS, row.compared)] if row.other_task else [(name, row.task) for name in against]
    turns = [("ours", row.ours, row.task), *((name, name, task) for name, task in others)]
    for label, name, task in turns if number % 2 == 0 else reversed(turns):
        _note(
            line,
            label,
            engines[name].do(task, number),
            row.other_figure or row.figure if label != "ours" else row.figure,
        )


def _note(line: Line, label: str, found: Mapping[str, Any], figure: str) -> None:
    if "error" in found:
        line.error = f"{label}: {found['error']}"
    elif figure in found:
        line.figures.setdefault(label, []).append(float(found[figure]))


def as_markdown(lines: Iterable[Line]) -> Iterator[str]:
    """The table, line by line."""
    yield "| work | ours | other | ratio | bar | |"
    yield "|---|---|---|---|---|---|"
    for line in lines:
        yield _as_markdown(line)


def _as_markdown(line: Line) -> str:
    ours = line.figures.get("ours")
    own = "" if not ours else _shown(median(ours), line.row.figure)
    if not line.ratios:
        return f"| {line.row.name} | {own} | | | {line.row.bar:.2f} | {line.error} |"
    other = f"{line.other} {_shown(median(line.figures[line.other]), line.row.figure)}"
    verdict = "reached" if line.ratio <= line.row.bar else "not reached"
    if abs(line.ratio - line.row.bar) <= line.noise:
        verdict = f"within the noise of {len(line.ratios)} rounds"
    ratio = f"{line.ratio:.3f} ± {line.noise:.3f}"
    return f"| {line.row.name} | {own} | {other} | {ratio} | {line.row.bar:.2f} | {verdict} |"


def _shown(value: float, figure: str) -> str:
    return (
        f"{value / 1e9:.2f} GB" if figure == "bytes" else f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"
    )
