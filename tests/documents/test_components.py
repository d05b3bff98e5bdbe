"""Connected components against a flood fill."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.documents.components import find_components


def flood(ink: np.ndarray) -> list[frozenset[tuple[int, int]]]:
    """The pixels of each component, found one by one."""
    todo = {(int(y), int(x)) for y, x in np.argwhere(ink)}
    found = []
    while todo:
        edge, seen = [todo.pop()], set[tuple[int, int]]()
        while edge:
            y, x = edge.pop()
            seen.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & todo
            todo -= near
            edge += near
        found.append(frozenset(seen))
    return found


@settings(max_examples=200)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_components_are_those_of_a_flood_fill(ink: np.ndarray) -> None:
    parts = find_components(ink)
    labels = parts.labels
    pixels = [frozenset(map(tuple, np.argwhere(labels == i).tolist())) for i in range(len(parts))]
    assert set(pixels) == set(flood(ink))
    assert (labels >= 0).tolist() == ink.tolist()
    for i, own in enumerate(pixels):
        rows, columns = zip(*own, strict=True)
        box = (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
        assert (parts.left[i], parts.top[i], parts.right[i], parts.bottom[i]) == box
        assert parts.area[i] == len(own)


def test_a_spiral_is_one_component() -> None:
    ink = np.zeros((60, 60), bool)
    for ring in range(0, 28, 4):
        ink[ring, ring : 60 - ring] = ink[60 - ring - 1, ring : 60 - ring] = True
        ink[ring : 60 - ring, 60 - ring - 1] = ink[ring + 4 : 60 - ring, ring] = True
        ink[ring + 4, ring : ring + 5] = True
    assert len(find_components(ink)) == 1
