"""Rows of cells in other forms."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from engine.documents.forms import Cell, as_csv, as_fields, as_markdown


def row(*cells: tuple[int, str]) -> list[Cell]:
    return [Cell(text, left, left + 8 * len(text), 20) for left, text in cells]


@given(st.lists(st.lists(st.text('ab,"= ', min_size=1, max_size=5), min_size=3, max_size=3), min_size=2, max_size=6))
def test_a_full_table_comes_back_as_it_was(texts: list[list[str]]) -> None:
    rows = [row(*((100 * i, text) for i, text in enumerate(line))) for line in texts]
    found = list(csv.reader(io.StringIO(as_csv(rows))))
    assert found == [[text.strip() for text in line] for line in texts]


def test_a_missing_cell_is_an_empty_field() -> None:
    rows = [row((0, "Item"), (200, "Units"), (300, "Sum")), row((0, "Lamp"), (300, "97")), row((0, "Sum"), (300, "9"))]
    assert as_csv(rows) == "Item,Units,Sum\nLamp,,97\nSum,,9\n"


def test_a_page_without_rows_of_cells_has_no_table() -> None:
    assert as_csv([row((0, "one line")), row((0, "another"))]) == ""


def test_labels_have_their_values() -> None:
    rows = [row((0, "Invoice")), row((0, "Number:"), (200, "MX-1")), row((0, "Due: today"))]
    assert json.loads(as_fields(rows, None)) == {"Number": "MX-1", "Due": "today"}
    wanted = {"properties": {"number": {}, "sum": {}}}
    assert json.loads(as_fields(rows, wanted)) == {"number": "MX-1", "sum": None}


def test_values_below_their_labels_are_found_for_a_schema() -> None:
    rows = [
        row((0, "Surname"), (300, "First name")), row((10, "Berg"), (310, "Anna")), row((0, "City:"), (300, "Bristol")),
        row((0, "Date: 5 May")),
    ]  # fmt: skip
    wanted = {"properties": {"surname": {}, "first_name": {}, "city": {}, "Date": {}, "phone": {}}}
    assert json.loads(as_fields(rows, wanted)) == {
        "surname": "Berg", "first_name": "Anna", "city": "Bristol", "Date": "5 May", "phone": None,
    }  # fmt: skip


def test_markdown_has_headings_lines_and_tables() -> None:
    rows = [[Cell("Title", 0, 90, 40)], row((0, "a|b"), (200, "c")), row((0, "d"), (200, "e")), row((0, "end"))]
    assert as_markdown(rows, 20) == "# Title\n\n\n| a\\|b | c |\n| --- | --- |\n| d | e |\n\nend"
