"""Rows of cells in other forms."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents.forms import as_csv, as_fields, as_markdown
from engine.documents.grid import Cell


def row(*cells: tuple[int, str], top: int = 0) -> list[Cell]:
    return [Cell(text, left, top, left + 8 * len(text), top + 20) for left, text in cells]


@given(st.lists(st.lists(st.text('ab,"= ', min_size=1, max_size=5), min_size=3, max_size=3), min_size=2, max_size=6))
def test_a_full_table_comes_back_as_it_was(texts: list[list[str]]) -> None:
    rows = [row(*((100 * i, text) for i, text in enumerate(line))) for line in texts]
    found = list(csv.reader(io.StringIO(as_csv(rows))))
    assert found == [[text.strip() for text in line] for line in texts]


def test_a_missing_cell_is_an_empty_field() -> None:
    lines = ((0, "Item"), (200, "Units"), (300, "Sum")), ((0, "Lamp"), (300, "97")), ((0, "Sum"), (300, "9"))
    rows = [row(*cells, top=30 * at) for at, cells in enumerate(lines)]
    assert as_csv(rows) == "Item,Units,Sum\nLamp,,97\nSum,,9\n"


def invoice(*, pitch: int = 50) -> list[list[Cell]]:
    """Two items of several lines, the second one's other cells in the middle of its own."""
    lines = (
        ((0, "Item"), (200, "Units"), (300, "Sum")), ((0, "Lamp,"), (200, "2"), (300, "97")), ((0, "of brass,"),),
        ((0, "used"),), ((0, "Chair"), (200, "1"), (300, "5")), ((0, "Table, of"),), ((200, "7"), (300, "9")),
        ((0, "oak"),), ((0, "Sum"), (300, "111")),
    )  # fmt: skip
    tops = (
        0,
        pitch,
        pitch + 24,
        pitch + 48,
        2 * pitch + 48,
        3 * pitch + 48,
        3 * pitch + 60,
        3 * pitch + 72,
        4 * pitch + 72,
    )
    return [row(*cells, top=top) for cells, top in zip(lines, tops, strict=True)]


WRAPPED = 'Item,Units,Sum\n"Lamp, of brass, used",2,97\nChair,1,5\n"Table, of oak",7,9\nSum,,111\n'


def test_further_lines_of_a_cell_are_one_cell_with_and_without_rules() -> None:
    lines = invoice(pitch=24)
    rules = [(0, y, 340, y + 1) for y in (-4, 22, 94, 118, 166, 190)]
    assert as_csv(lines, rules) == WRAPPED
    assert (
        as_csv([*invoice()[:5], *invoice()[8:]]) == 'Item,Units,Sum\n"Lamp, of brass, used",2,97\nChair,1,5\nSum,,111\n'
    )


def test_rows_between_a_head_and_a_sum_stay_apart_whatever_they_lack() -> None:
    full = [row((0, name), (200, "1"), (300, "2"), top=30 * at) for at, name in enumerate("abcd")]
    lacking = row((0, "e"), (300, "4"), top=120)
    rules = [(0, y, 320, y + 1) for y in (25, 145)]
    assert as_csv([*full, lacking], rules).count("\n") == 5


def test_a_line_below_a_table_is_none_of_it() -> None:
    lines = [*(row((0, name), (200, "1"), top=30 * at) for at, name in enumerate("abc")), row((0, "so"), top=92)]
    assert as_csv(lines) == "a,1\nb,1\nc,1\n"
    assert as_markdown(lines, 20).endswith("\n\nso")


def test_a_page_without_rows_of_cells_has_no_table() -> None:
    assert as_csv([row((0, "one line")), row((0, "another"))]) == ""


def test_labels_have_their_values() -> None:
    rows = [row((0, "Invoice")), row((0, "Number:"), (200, "MX-1")), row((0, "Due: today"))]
    assert json.loads(as_fields(rows, None)) == {"Number": "MX-1", "Due": "today"}
    wanted = {"properties": {"number": {}, "sum": {}}}
    assert json.loads(as_fields(rows, wanted)) == {"number": "MX-1", "sum": None}


@pytest.mark.parametrize("leader", ["......", ". . . .", "____", "·····", "… … …"])
def test_what_leads_from_a_label_to_its_value_is_neither(leader: str) -> None:
    rows = [row((0, "Total"), (100, leader), (300, "4.20")), row((0, "Shop......"), (300, "Kiosk"))]
    assert json.loads(as_fields(rows, None)) == {"Total": "4.20", "Shop": "Kiosk"}
    assert json.loads(as_fields(rows, {"properties": {"shop": {}, "total": {}}})) == {"shop": "Kiosk", "total": "4.20"}


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
    rows = [[Cell("Title", 0, 0, 90, 40)], row((0, "a|b"), (200, "c"), top=60)]
    rows += [row((0, "d"), (200, "e"), top=90), row((0, "end"), top=130)]
    assert as_markdown(rows, 20) == "# Title\n\n\n| a\\|b | c |\n| --- | --- |\n| d | e |\n\nend"
