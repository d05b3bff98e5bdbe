"""What stands level and is read downwards, and what is read across."""

from functools import partial

import pytest

from engine.documents.beside import read_down
from engine.documents.grid import Cell
from tests.growth import assert_linear

Texts = list[list[str]]

SENDER, RECEIVER = (
    ["Harbour Trust", "17 Quay Street", "5003 Bergen", "Norway"],
    ["Helen Brook", "44 Station Road", "Leeds LS1 4DY"],
)


def lines_of(rows: Texts, pitch: int = 32, lefts: tuple[int, ...] = (100, 700, 1200, 1500)) -> list[list[Cell]]:
    """Rows of cells 24 pixels high; "" for none."""
    return [
        [Cell(t, x, i * pitch, x + 12 * len(t), i * pitch + 24) for x, t in zip(lefts, row, strict=False) if t]
        for i, row in enumerate(rows)
    ]


def side_by_side(*blocks: list[str]) -> Texts:
    longest = max(map(len, blocks))
    return [[block[i] if i < len(block) else "" for block in blocks] for i in range(longest)]


def read(rows: Texts, pitch: int = 32, rules: tuple[tuple[int, int, int, int], ...] = ()) -> list[str]:
    lines = lines_of(rows, pitch)
    return ["|".join(lines[line][cell].text for line, cell in row) for row in read_down(lines, rules)]


@pytest.mark.parametrize(
    "blocks",
    [
        (SENDER, RECEIVER),
        (RECEIVER, SENDER),
        (["Bill to:", *RECEIVER], ["Ship to:", "Green Warehouse", "Canal Street 77", "Bristol BS1"]),
        (["Trust Limited", "17 Quay Street", "Bergen"], ["Phone 55 31", "post@trust.example", "www.trust.example"],
         ["Bank of Norway", "Account 4471", "VAT 812 345"]),
    ],
    ids=["sender first", "receiver first", "headed", "a foot of three"],
)  # fmt: skip
def test_addresses_side_by_side_are_read_one_after_the_other(blocks: tuple[list[str], ...]) -> None:
    before, behind = [["A letter"]], [["Dear Helen, this is a long line of a letter that reaches over the other side"]]
    lines = [*before, [""], *side_by_side(*blocks), [""], *behind]
    places = [line for line in lines_of(lines) if line]
    read_lines = ["|".join(places[line][cell].text for line, cell in row) for row in read_down(places)]
    assert read_lines == [before[0][0], *(text for block in blocks for text in block), behind[0][0]]


STORY = [
    "The ship left the harbour early and",
    "nobody had seen its captain before",
    "it was gone. Then the fog came and",
    "hid the lights.",
]


@pytest.mark.parametrize("aside", [["Harper and Sons", "Market Lane", "Bristol"], STORY, STORY[:2]])
def test_prose_is_read_to_its_end_before_what_stands_beside_it(aside: list[str]) -> None:
    assert read(side_by_side(STORY, aside)) == [*STORY, *aside]
    assert read(side_by_side(aside, STORY)) == [*aside, *STORY]


def test_an_aside_in_smaller_print_parts_no_line_of_the_prose_that_it_stands_beside() -> None:
    aside = ["Board of directors", "Anna Harper", "Thomas Reid", "Joan Fielding", "Head office"]
    prose = [Cell(text, 100, 40 * i, 100 + 12 * len(text), 40 * i + 24) for i, text in enumerate(STORY)]
    small = [Cell(text, 800, 28 * i, 800 + 9 * len(text), 28 * i + 16) for i, text in enumerate(aside)]
    rows = [[prose[0], small[0]], [small[1]], [prose[1]], [small[2]], [prose[2], small[3]], [small[4]], [prose[3]]]
    assert [rows[line][cell] for row in read_down(rows) for line, cell in row] == [*prose, *small]


@pytest.mark.parametrize(
    "rows",
    [
        [["Invoice number", "20481"], ["Date", "14 March 2025"], ["Customer", "Helen Brook"], ["Due", "28 March"]],
        [["Item", "Units", "Sum"], ["Desk lamp", "3", "37.50"], ["Cable 2 m", "10", "12.50"]],
        [["Oat biscuits 250 g", "2.49 euro"], ["Bread", "3.10 euro"], ["Milk 1 l", "0.99 euro"]],
        [["Name:", "Anna Berg"], ["Street:", "Mill Lane 8"], ["Town:", "Oslo 0151"]],
        [["1. Name", "Anna Berg"], ["2. Street", "Mill Lane 8"], ["3. Town", "Oslo"]],
        [["Anna Berg", "Mill Lane 8"], ["Peter Long", "9 Hill Street"], ["Eva Holm", "Dock Road 3"]],
        [["Apple", "a fruit that grows on trees in Europe"], ["Lamp", "a light"], ["Quay", "a place where ships lie"]],
        [
            ["apples", "3", "they were red ones from the garden in"],
            ["", "", "which it had rained"],
            ["pears", "4", "good"],
        ],
        [SENDER[:2], RECEIVER[:2]],
    ],
    ids=["labels", "table", "prices", "colons", "numbered", "list of addresses", "glossary", "wrapped", "two lines"],
)
def test_tables_and_labels_with_values_are_read_across(rows: Texts) -> None:
    assert read(rows) == ["|".join(filter(None, row)) for row in rows]


def test_what_stands_far_apart_or_has_rules_between_is_a_table() -> None:
    rows = side_by_side(SENDER[:3], RECEIVER)
    across = ["|".join(row) for row in rows]
    assert read(rows, pitch=60) == across
    assert read(rows, rules=((90, 27, 1000, 29), (90, 59, 1000, 61))) == across
    assert read(rows) == [*SENDER[:3], *RECEIVER]


def test_a_long_table_is_read_across_to_its_end_at_a_cost_of_its_length() -> None:
    rows = side_by_side(4 * SENDER, 4 * SENDER)
    assert read(rows) == ["|".join(row) for row in rows]
    tables = [lines_of([["Lamp", "2 m", "3 pieces"]] * count) for count in (100, 1600)]
    small, large = (partial(read_down, table) for table in tables)
    assert_linear(small, large, 0.02, "a table")


def test_every_cell_is_read_once_whatever_stands_where() -> None:
    rows = [["Harbour 17", ""], ["", "Leeds"], *side_by_side(SENDER, RECEIVER, ["one", "2 two"]), ["", "", "end 4"]]
    lines = lines_of(rows)
    read_places = [place for row in read_down(lines) for place in row]
    assert sorted(read_places) == [(i, k) for i, line in enumerate(lines) for k in range(len(line))]
