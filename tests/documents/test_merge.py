"""Parts of a text put together: nothing twice, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from engine.documents.likeness import difference, distance, plain
from engine.documents.merge import bind, compare, merge
from engine.protocol.documents import Box, TextLine

lines = st.lists(st.text("ab c", max_size=6).map(TextLine), max_size=12)


@given(lines, st.data())
def test_a_text_cut_anywhere_and_merged_is_the_text(text: list[TextLine], data: st.DataObject) -> None:
    stop = data.draw(st.integers(0, len(text)))
    start = data.draw(st.integers(0, stop))
    assert merge(text[:stop], text[start:], stop - start) == text


@given(
    st.lists(st.text("abcdefghij", min_size=6, max_size=9), unique=True, min_size=1, max_size=10),
    st.data(),
)
def test_an_overlap_that_was_misjudged_loses_and_doubles_nothing(texts: list[str], data: st.DataObject) -> None:
    text = [TextLine(f"{i} {each} {i}" * 2) for i, each in enumerate(texts)]
    stop = data.draw(st.integers(1, len(text)))
    start = data.draw(st.integers(max(0, stop - 3), stop - 1))
    guess = data.draw(st.integers(max(1, stop - start - 2), stop - start + 2))
    assert merge(text[:stop], text[start:], guess) == text


@given(lines, lines, st.integers(0, 6))
def test_no_line_without_a_twin_is_dropped(a: list[TextLine], b: list[TextLine], num_shared: int) -> None:
    merged = [line.text for line in merge(a, b, num_shared)]
    for line in [*a, *b]:
        assert line.text in merged or any(difference(line.text, other) < 0.2 for other in merged)
    assert len(merged) >= max(len(a), len(b))


def test_of_two_copies_the_surer_one_stays() -> None:
    upper = [TextLine("one"), TextLine("twenty-two birds", confidence=-2.0)]
    lower = [TextLine("twenty-two bird", confidence=-0.1), TextLine("three")]
    assert [line.text for line in merge(upper, lower, 1)] == ["one", "twenty-two bird", "three"]


def test_a_line_that_only_one_part_read_stays_in_its_place() -> None:
    upper = [TextLine(text) for text in ("start", "alpha beta", "gamma delta")]
    lower = [TextLine(text) for text in ("alpha beta", "lost line", "gamma delta", "the end")]
    merged = [line.text for line in merge(upper, lower, 3)]
    assert merged == ["start", "alpha beta", "lost line", "gamma delta", "the end"]


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_that_of_the_textbook(a: str, b: str) -> None:
    def count(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(count(i - 1, j) + 1, count(i, j - 1) + 1, count(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    if len(a) + len(b) <= 10:
        assert distance(a, b) == count(len(a), len(b))
    assert distance(a, b) == distance(b, a)


def test_quotes_hyphens_blanks_and_composition_make_no_difference() -> None:
    assert plain("“Cafe\u0301”\t – no…") == plain('"Café"  - no...')


def box(i: int, width: float) -> Box:
    return Box(0.1, i / 20, 0.1 + width, i / 20 + 0.04)


def test_read_lines_find_the_print_they_were_read_from() -> None:
    widths = [0.3, 0.8, 0.8, 0.2, 0.8, 0.8, 0.5]
    boxes = [box(i, width) for i, width in enumerate(widths)]
    read = [TextLine("x" * int(100 * width)) for width in widths]
    bound, num_unread, num_unseen = bind(read, boxes)
    assert [line.box for line in bound] == boxes
    assert (num_unread, num_unseen) == (0, 0)
    bound, num_unread, num_unseen = bind([*read[:3], *read[4:]], boxes)
    assert [line.box for line in bound] == [*boxes[:3], *boxes[4:]]
    assert (num_unread, num_unseen) == (1, 0)


@given(lines, lines)
def test_comparing_keeps_every_line_of_both(a: list[TextLine], b: list[TextLine]) -> None:
    result = compare(a, b)
    assert [line.text for line in result if line.differs != ""][: len(a)] is not None
    assert len(result) >= len(a)
    assert all(any(line.text == each.text for line in result) for each in [*a, *b])
