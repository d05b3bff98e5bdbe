"""In which order the lines of a text layer are told, whatever the order of their file."""

from pathlib import Path

import pytest

from engine.documents.layer_order import in_reading_order
from engine.documents.layout import MOST_RUNS
from engine.documents.source import Document
from engine.protocol.documents import Box, TextLine
from tests.documents.pdf_files import Page, text, write_pdf

LEFT = ("Left column one goes", "on here to the second", "and on to the third line", "then ends right here.") * 2
RIGHT = ("Right column begins at", "its own top and carries", "on through these lines", "until it is finished.") * 2


def read(path: Path, content: bytes) -> list[str]:
    return [line.text for line in Document(write_pdf(path / "a.pdf", [Page(content)])).lines(1)]


def cells(*rows: tuple[str, ...], x: int = 60, y: int = 700, step: int = 150) -> bytes:
    """Written cell by cell."""
    return b"".join(
        text(cell, x=x + step * j, y=y - 20 * i, size=11) for i, row in enumerate(rows) for j, cell in enumerate(row)
    )


def test_the_cells_of_a_row_are_one_line_however_they_were_written(tmp_path: Path) -> None:
    rows = [("Item", "Qty", "Price"), ("Red apples", "3", "4.50"), ("Pears", "10", "12.00")]
    assert read(tmp_path, cells(*rows)) == ["\t".join(row) for row in rows]


def test_columns_that_were_written_across_are_read_downwards(tmp_path: Path) -> None:
    written = cells(*zip(LEFT, RIGHT, strict=True), step=270)
    title, number = text("A title", y=760, size=18), text("- 7 -", x=280, y=40, size=9)
    assert read(tmp_path, title + written + number) == ["A title", *LEFT, *RIGHT, "- 7 -"]


def test_columns_that_were_written_downwards_stay_as_they_are(tmp_path: Path) -> None:
    written = text(*LEFT, y=700, size=11) + text(*RIGHT, x=330, y=700, size=11)
    assert read(tmp_path, written) == [*LEFT, *RIGHT]


def test_what_was_written_from_the_bottom_up_is_read_from_the_top_down(tmp_path: Path) -> None:
    body = text(*LEFT, y=600, size=11)
    head, foot = text("The head of the page", y=800, size=9), text("The foot of the page", y=30, size=9)
    assert read(tmp_path, foot + body + head) == ["The head of the page", *LEFT, "The foot of the page"]
    upwards = b"".join(text(line, y=400 + 20 * i) for i, line in enumerate(reversed(LEFT[:4])))
    assert read(tmp_path, upwards) == list(LEFT[:4])


def test_an_item_stands_behind_its_mark_however_far(tmp_path: Path) -> None:
    items = [("1.", "Wash the pears."), ("2.", "Peel them."), ("\xb7", "Eat."), ("4.2", "Rest")]
    assert read(tmp_path, cells(*items, step=40)) == [" ".join(item) for item in items]


@pytest.mark.parametrize("num_lines", [1, 30, 900])
def test_every_line_is_told_once_whatever_its_order(num_lines: int) -> None:
    places = [((i * 37) % 11 / 12, (i * 53) % 97 / 100) for i in range(num_lines)]
    lines = [TextLine(f"line{i}", Box(x, y, x + 0.05, y + 0.012), source="layer") for i, (x, y) in enumerate(places)]
    told = [cell.text for row in in_reading_order(lines, 595, 842) for cell in row]
    assert sorted(told) == sorted(line.text for line in lines)


def test_more_cells_than_any_page_has_stay_as_they_are_written() -> None:
    cells = [TextLine(f"{n}", Box(n / 5000, 0.1, (n + 0.4) / 5000, 0.12)) for n in reversed(range(MOST_RUNS + 1))]
    level = [TextLine("left", Box(0.1, 0.5, 0.2, 0.52)), TextLine("right", Box(0.6, 0.5, 0.7, 0.52))]
    assert in_reading_order(level, 600, 800) == [level]
    assert in_reading_order(cells, 600, 800) == [[cell] for cell in cells]
