"""Chunks cover a prompt once, in order, and never end inside a picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.generation.prefill import plan_chunks


@given(
    st.integers(1, 300), st.integers(1, 80),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 120)), max_size=4), st.integers(0, 50),
)  # fmt: skip
def test_CP_6_no_chunk_ends_inside_a_picture(length: int, size: int, gaps: list[tuple[int, int]], start: int) -> None:
    blocks, at = [], 0
    for gap, width in gaps:
        blocks.append(range(at + gap, at + gap + width))
        at += gap + width
    length = max(length, at + 1)
    start = 0 if any(block.start < start < block.stop for block in blocks) else min(start, length - 1)
    chunks = plan_chunks(start, length, size, blocks)
    assert [position for chunk in chunks for position in chunk] == list(range(start, length))
    for chunk in chunks:
        assert not any(block.start < chunk.stop < block.stop for block in blocks)
        longest = max(
            (len(block) for block in blocks if block.start >= chunk.start and block.stop <= chunk.stop), default=0
        )
        assert len(chunk) <= max(size, longest)


@pytest.mark.parametrize(("size", "expected"), [(512, [range(10)]), (4, [range(4), range(4, 8), range(8, 10)])])
def test_a_prompt_without_pictures_is_cut_evenly(size: int, expected: list[range]) -> None:
    assert plan_chunks(0, 10, size, []) == expected
