"""Components to runs of print: letters that stand side by side, with their marks; rules, frames and pictures aside."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.documents.code_ink import without_code_ink
from engine.documents.components import Components, find_components

__all__ = ["Ground", "Place", "Run", "find_ground"]

Place = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, half-open."""

RULE = 5.0
"""Letter heights: longer straight ink is a rule."""

SIDE = 1.5
"""Letter heights: the shortest upright stroke between two rules that is the side of a frame."""

LARGE = 9.0
"""Letter heights: a component larger both ways is a frame or a picture, or a line of very large print."""

INITIAL = 30.0
"""Letter heights: the largest letter beside usual ones."""

MOST_INITIALS = 3

BLANK = 1.9
"""Letter heights: the widest gap within a run."""

MARK = 0.45
"""Of a letter's height: what is lower is a dot, a comma, a quote, a hyphen, an accent."""

STRAY = 0.8
"""Of a letter's height: what is lower and stands alone is a mark as well: a comma, a pair of quotes."""

LONE, SMALLEST = 0.55, 9
"""Of a letter's height, and pixels: as high, what stands far from all others is small print, not a speck."""

JOINT = 1.2
"""Line heights: the widest blank between a mark and the next word."""

MOST_PARTS = 40_000
"""Of a page of print: with more of them it is grain, a raster or a drawing, and would take minutes."""

SIGN = 0.2
"""Of its height: what holds print so high, or higher, is its frame."""

LEADER_DOTS = 5
"""So many dots in a row, and they lead to something."""


@dataclass(frozen=True)
class Run:
    """Print without a wide gap: a line, a part of it, or a table's cell. In pixels, half-open."""

    left: int
    top: int
    right: int
    bottom: int
    members: np.ndarray = field(compare=False)
    """Its components."""
    leader: str = ""
    """What a row of dots is written as; it is not read."""

    @property
    def place(self) -> Place:
        return self.left, self.top, self.right, self.bottom

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Ground:
    """What stands on a page."""

    components: Components
    runs: tuple[Run, ...]
    rules: tuple[Place, ...]
    pictures: tuple[Place, ...]
    """What is no print."""
    letter: float
    """Height of a usual letter in pixels; 0 where there are none."""
    unexplained: float
    """Share of the ink that is none of these."""
    has_codes: bool = False
    """Whether there was ink of QR codes or barcodes, which was left out."""


def find_ground(ink: np.ndarray, between: Callable[[], None] = lambda: None) -> Ground:
    """The print of a straightened page [H, W] bool. `between` runs now and then, and may raise."""
    cleaned, found = without_code_ink(ink)
    between()
    return replace(_find_ground(cleaned, found, between), has_codes=cleaned is not ink)


def _find_ground(ink: np.ndarray, found: Components, between: Callable[[], None]) -> Ground:
    letter = _letter_height(found)
    if not letter:
        return Ground(found, (), (), (), 0.0, 1.0 if len(found) else 0.0)
    cleaned, rules, pictures = _without_rules(ink, found, letter)
    between()
    parts = find_components(cleaned)
    between()
    letter = _letter_height(parts) or letter
    pictures = tuple(_with_surroundings(parts, picture, letter) for picture in pictures)
    is_print = _is_print(parts, letter, pictures)
    if is_print.sum() > MOST_PARTS:
        return Ground(parts, (), rules, pictures, 0.0, 1.0)
    runs = _find_runs(parts, np.flatnonzero(is_print), letter, between)
    return Ground(parts, tuple(runs), rules, pictures, letter, _unexplained(parts, runs, pictures))


def _unexplained(parts: Components, runs: Sequence[Run], pictures: Sequence[Place]) -> float:
    """Share of the ink of components that belongs to no run and stands in no picture."""
    is_explained = _is_within(parts, pictures)
    for run in runs:
        is_explained[run.members] = True
    return float(parts.area[~is_explained].sum() / max(1, parts.area.sum()))


def _places(found: Components, which: np.ndarray) -> tuple[Place, ...]:
    sides = np.stack([found.left, found.top, found.right, found.bottom], axis=1)[which]
    return tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in sides)


def _are_initials(parts: Components, letter: float) -> np.ndarray:
    """Components as high as many lines that may be letters all the same: a few, no wider than letters are."""
    width, height = parts.width, parts.height
    fill = parts.area / np.maximum(1, width * height)
    is_large = (height >= LARGE * letter) & (height < INITIAL * letter) & (width > 0.1 * height)
    may_be = is_large & (width < 1.4 * height) & (fill > 0.18) & (fill < 0.6)
    return may_be & (may_be.sum() <= MOST_INITIALS)


def _with_surroundings(parts: Components, picture: Place, letter: float) -> Place:
    """A picture with the blots around it, which are its paler parts."""
    width, height, reach = parts.width, parts.height, 2 * letter
    is_blot = (np.minimum(width, height) > 1.5 * letter) & (parts.area > 0.4 * width * height)
    is_blot |= np.minimum(width, height) > 3 * letter
    left, top, right, bottom = (side[is_blot] for side in (parts.left, parts.top, parts.right, parts.bottom))
    place, before = picture, None
    while place != before:
        before = place
        near = (left < place[2] + reach) & (right > place[0] - reach)
        near &= (top < place[3] + reach) & (bottom > place[1] - reach)
        sides = (left[near], top[near], right[near], bottom[near])
        place = (
            int(min([place[0], *sides[0]])), int(min([place[1], *sides[1]])),
            int(max([place[2], *sides[2]])), int(max([place[3], *sides[3]])),
        )  # fmt: skip
    return place


def _is_within(parts: Components, places: Sequence[Place]) -> np.ndarray:
    x, y = (parts.left + parts.right) / 2, (parts.top + parts.bottom) / 2
    is_within = np.zeros(len(parts), bool)
    for left, top, right, bottom in places:
        is_within |= (x > left) & (x < right) & (y > top) & (y < bottom)
    return is_within


def _letter_height(parts: Components) -> float:
    """The median height of what may be letters, each counted by its width."""
    height, width = parts.height, parts.width
    may_be = (height >= 5) & (width >= 2) & (width < 8 * height) & (height < 10 * width)
    may_be &= parts.area > 0.08 * height * width
    usual = may_be & (height < parts.labels.shape[0] / 4)
    may_be = usual if usual.any() else may_be & _hold_nothing(parts, may_be)  # a sign: its print is as high as it
    if not may_be.any():
        return 0.0
    heights, weights = height[may_be], np.minimum(width, 2 * height)[may_be]
    order = np.argsort(heights)
    total = np.cumsum(weights[order])
    return float(heights[order][np.searchsorted(total, total[-1] / 2)])


def _hold_nothing(parts: Components, which: np.ndarray) -> np.ndarray:
    """Components that are no frames: what stands in their boxes, of these, is far smaller."""
    holds = np.zeros(len(parts), bool)
    for index in np.flatnonzero(which):
        place = int(parts.left[index]), int(parts.top[index]), int(parts.right[index]), int(parts.bottom[index])
        within = _is_within(parts, [place]) & which
        within[index] = False
        holds[index] = bool((parts.height[within] > SIGN * parts.height[index]).any())
    return ~holds


def _without_rules(
    ink: np.ndarray, found: Components, letter: float
) -> tuple[np.ndarray, tuple[Place, ...], tuple[Place, ...]]:
    """The ink without rules, frames and pictures; the places of the rules, and those of the pictures."""
    width, height = found.width, found.height
    is_long = (width > RULE * letter) | (height > RULE * letter)
    is_rule = is_long & (np.minimum(width, height) < 0.4 * letter)
    is_large = (width > LARGE * letter) & (height > LARGE * letter)
    is_picture = is_large & (found.area > 0.25 * width * height) & ~_are_initials(found, letter)
    gone = is_rule | is_picture
    cleaned, rules = ink & ~np.append(gone, False)[found.labels], list(_places(found, is_rule))
    for index in np.flatnonzero(is_long & ~gone):
        rules += _erase_rules(cleaned, found, int(index), letter)
    return cleaned, tuple(rules), _places(found, is_picture)


def _erase_rules(cleaned: np.ndarray, found: Components, index: int, letter: float) -> Iterator[Place]:
    """Take the straight strokes out of a component (a frame, a grid, a word on a rule) and tell where they were."""
    left, top = int(found.left[index]), int(found.top[index])
    place = np.s_[top : found.bottom[index], left : found.right[index]]
    own = found.labels[place] == index
    across = _long_strokes(own, RULE * letter, 0.4 * letter)
    down = _long_strokes(own.T, RULE * letter, 0.4 * letter).T
    gone = own & (_thickened(across, letter) | _thickened(down.T, letter).T)
    gone |= _sides(own & ~gone, gone, letter)
    cleaned[place] &= ~gone
    for strokes in (across, down):
        parts = find_components(strokes)
        for a, b, c, d in _places(parts, np.maximum(parts.width, parts.height) > RULE * letter):
            yield left + a, top + b, left + c, top + d


def _sides(own: np.ndarray, rules: np.ndarray, letter: float) -> np.ndarray:
    """The short sides of frames: thin upright strokes in own [H, W] bool from one rule to another."""
    parts = find_components(own)
    may_be = (parts.width < 0.4 * letter) & (parts.height > SIDE * letter)
    last = len(rules) - 1
    is_side = np.zeros(len(parts) + 1, bool)  # the last one is of what is no component
    for index in np.flatnonzero(may_be):
        columns = slice(parts.left[index], parts.right[index])
        ends = parts.top[index] - 1, min(parts.bottom[index], last)
        is_side[index] = parts.top[index] > 0 and all(rules[end, columns].any() for end in ends)
    return is_side[parts.labels]


def _long_strokes(own: np.ndarray, length: float, thickness: float) -> np.ndarray:
    """The horizontal strokes in own [H, W] bool that are longer than `length` and at most `thickness` high."""
    height, width = own.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = own
    change = np.diff(padded, axis=1)
    y, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    is_long = ends - starts > length
    strokes = np.zeros((height, width + 1), np.int8)
    strokes[y[is_long], starts[is_long]] += 1
    np.add.at(strokes, (y[is_long], ends[is_long]), -1)
    covered = np.cumsum(strokes, axis=1)[:, :width] > 0
    thick = np.cumsum(np.pad(covered, ((1, 0), (0, 0))).astype(np.int32), axis=0)
    reach = int(thickness) + 1
    if height > reach:  # a stroke that goes on above and below is no rule but a solid
        window = thick[reach:] - thick[:-reach]
        solid_at = np.zeros((height, width), bool)
        for offset in range(reach):
            solid_at[offset : offset + window.shape[0]] |= window == reach
        covered &= ~solid_at
    return covered


def _thickened(strokes: np.ndarray, letter: float) -> np.ndarray:
    """With the ragged edges of a rule that does not lie quite level."""
    grown, reach = strokes.copy(), max(1, round(0.12 * letter))
    for step in range(1, min(reach, len(strokes) - 1) + 1):
        grown[step:] |= strokes[:-step]
        grown[:-step] |= strokes[step:]
    return grown


def _is_print(parts: Components, letter: float, pictures: Sequence[Place]) -> np.ndarray:
    height, width = parts.height, parts.width
    is_print = (parts.area >= max(2, 0.01 * letter**2)) & (height < LARGE * letter) & (width < 40 * letter)
    is_print &= (np.minimum(width, height) < 3 * letter) | (parts.area > 0.12 * width * height)  # a stroke of a drawing
    is_print |= _are_initials(parts, letter)
    return is_print & ~_is_within(parts, pictures)


def _find_runs(parts: Components, members: np.ndarray, letter: float, between: Callable[[], None]) -> list[Run]:
    is_mark = parts.height[members] < MARK * letter
    marks, letters = members[is_mark], members[~is_mark]
    leaders, marks = _find_leaders(parts, marks, letter)
    groups = _linked(parts, letters, between)
    is_stray = [len(group) < 4 and parts.height[group].max() < STRAY * letter for group in groups]
    strays = [group for group, is_one in zip(groups, is_stray, strict=True) if is_one]
    runs = [_run(parts, group) for group, is_one in zip(groups, is_stray, strict=True) if not is_one]
    if not runs:
        runs, strays = [_run(parts, group) for group in strays], []
    runs = _absorbed(parts, runs)
    between()
    runs = _with_marks(parts, runs, np.concatenate([marks, *strays]), letter)
    runs += _lone(parts, strays, runs, letter)
    num_runs = 0
    while num_runs != len(runs):  # what has grown may reach further
        between()
        num_runs, runs = len(runs), _joined(parts, runs)
    return [run for run in runs if _is_line(parts, run, letter)] + leaders


def _lone(parts: Components, strays: list[np.ndarray], runs: list[Run], letter: float) -> list[Run]:
    """Strays that no run took and that are as high as print: a page's number in its corner."""
    taken = np.concatenate([run.members for run in runs]) if runs else np.zeros(0, int)
    least = max(SMALLEST, LONE * letter)
    left = [group for group in strays if not np.isin(group, taken).any() and parts.height[group].max() >= least]
    return [_run(parts, group) for group in left]


def _is_line(parts: Components, run: Run, letter: float) -> bool:
    """Whether what hangs together is as high as its letters say: a drawing is higher than most of its strokes."""
    return run.height < 2.5 * letter or float(np.median(parts.height[run.members])) > 0.3 * run.height


def _joined(parts: Components, runs: list[Run]) -> list[Run]:
    """Runs that stand level with no more than a blank between them are one: a mark may have kept them apart."""
    if not runs:
        return runs
    line = float(np.median([run.height for run in runs]))
    joined: list[Run] = []
    sides = np.zeros((len(runs), 4))
    for run in sorted(runs, key=lambda each: each.left):
        _, top, right, bottom = sides[: len(joined)].T
        height = bottom - top
        lower, higher = np.minimum(height, run.height), np.maximum(height, run.height)
        shared, gap = np.minimum(bottom, run.bottom) - np.maximum(top, run.top), run.left - right
        fits = (gap < JOINT * np.maximum(line, lower)) & (shared > 0.55 * lower)
        found = np.flatnonzero(fits & (higher < 2.6 * lower))
        at = int(found[0]) if len(found) else len(joined)
        if at < len(joined):
            joined[at] = _run(parts, np.concatenate([joined[at].members, run.members]))
        else:
            joined.append(run)
        sides[at] = joined[at].place
    return joined


def _run(parts: Components, members: np.ndarray, leader: str = "") -> Run:
    return Run(
        int(parts.left[members].min()), int(parts.top[members].min()),
        int(parts.right[members].max()), int(parts.bottom[members].max()), members, leader,
    )  # fmt: skip


def _linked(parts: Components, letters: np.ndarray, between: Callable[[], None]) -> list[np.ndarray]:
    """Letters in groups: each hangs together with the nearest one to its right that shares its line."""
    if not len(letters):
        return []
    order = letters[np.argsort(parts.top[letters], kind="stable")]
    left, right, top, bottom = (
        side[order].astype(np.float32) for side in (parts.left, parts.right, parts.top, parts.bottom)
    )
    height, middle = bottom - top, (left + right) / 2
    roots = np.arange(len(order))
    tallest = height.max()
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for start in range(0, len(order), 256):
        between()
        a = slice(start, min(start + 256, len(order)))
        near = slice(*np.searchsorted(top, [top[a][0] - tallest, bottom[a].max() + 1]))
        shared = np.minimum(bottom[a, None], bottom[None, near]) - np.maximum(top[a, None], top[None, near])
        lower, higher = (take(height[a, None], height[None, near]) for take in (np.minimum, np.maximum))
        gap = left[None, near] - right[a, None]
        fits = (shared > 0.5 * lower) & (higher < 2.8 * lower) & (middle[None, near] > middle[a, None])
        fits &= gap < BLANK * np.maximum(lower, 0.7 * higher)
        cost = np.where(fits, np.maximum(gap, 0) + 0.3 * (lower - shared), np.inf)
        best = cost.argmin(axis=1)
        is_found = np.isfinite(cost[np.arange(len(best)), best])
        pairs.append((np.flatnonzero(is_found) + start, best[is_found] + near.start))
    upper, lower_ = (np.concatenate(side) for side in zip(*pairs, strict=True))
    roots = _union(roots, upper, lower_)
    _, names = np.unique(roots, return_inverse=True)
    by_name = np.argsort(names, kind="stable")
    cuts = np.flatnonzero(np.diff(names[by_name])) + 1
    return [order[group] for group in np.split(by_name, cuts)]


def _union(roots: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    while True:
        x, y = roots[a], roots[b]
        if np.array_equal(x, y):
            return roots
        np.minimum.at(roots, np.maximum(x, y), np.minimum(x, y))
        while not np.array_equal(roots, roots[roots]):
            roots = roots[roots]


def _absorbed(parts: Components, runs: list[Run]) -> list[Run]:
    """Runs that stand within another one's line belong to it: the dot of a large i, an accent, a stray stroke."""
    runs = sorted(runs, key=lambda run: -run.width * run.height)
    kept: list[Run] = []
    sides = np.zeros((len(runs), 4))
    for run in runs:
        left, top, right, bottom = sides[: len(kept)].T
        reach = 0.15 * (bottom - top)
        across = np.minimum(run.right, right) - np.maximum(run.left, left)
        down = np.minimum(run.bottom, bottom + reach) - np.maximum(run.top, top - reach)
        fits = (across > 0.6 * run.width) & (down > 0.6 * run.height) & (run.height < 0.9 * (bottom - top))
        found = np.flatnonzero(fits)
        at = int(found[0]) if len(found) else len(kept)
        if at < len(kept):
            kept[at] = _run(parts, np.concatenate([kept[at].members, run.members]))
        else:
            kept.append(run)
        sides[at] = kept[at].place
    return kept


def _with_marks(parts: Components, runs: list[Run], marks: np.ndarray, letter: float) -> list[Run]:
    """Each mark goes to the nearest run whose line it stands on."""
    if not runs:
        return runs
    left, top, right, bottom = np.array([run.place for run in runs], np.float32).T
    height = np.maximum(bottom - top, letter)
    taken = [[run.members] for run in runs]
    marks = marks[np.argsort(parts.top[marks] + parts.bottom[marks], kind="stable")]
    for start in range(0, len(marks), 512):
        some = marks[start : start + 512]
        from_, to = parts.left[some][:, None], parts.right[some][:, None]
        y = ((parts.top[some] + parts.bottom[some]) / 2)[:, None]
        near = np.flatnonzero((top - 0.4 * height < y[-1]) & (bottom + 0.4 * height > y[0]))
        if not len(near):
            continue
        across = np.maximum(0, np.maximum(left[near] - to, from_ - right[near]))
        down = np.maximum(0, np.maximum(top[near] - y, y - bottom[near]))
        fits = (across < 1.3 * height[near]) & (down < 0.4 * height[near])
        cost = np.where(fits, across + 2 * down, np.inf)
        best = cost.argmin(axis=1)
        is_found = np.isfinite(cost[np.arange(len(some)), best])
        for mark, host in zip(some[is_found], near[best[is_found]], strict=True):
            taken[host].append(np.array([mark]))
    return [_run(parts, np.concatenate(members)) for members in taken]


def _find_leaders(parts: Components, marks: np.ndarray, letter: float) -> tuple[list[Run], np.ndarray]:
    """Rows of dots at an even distance, and the marks that are in none."""
    unused, leaders = dict.fromkeys(marks.tolist()), []
    width, height = parts.width[marks], parts.height[marks]
    dots = marks[(width < 1.8 * height) & (height < 1.8 * width)]
    rows: list[list[int]] = []
    newest: dict[int, list[int]] = {}
    tolerance = max(2, round(0.12 * letter))
    for mark in sorted(dots.tolist(), key=lambda each: int(parts.left[each])):
        level = int(parts.bottom[mark]) // tolerance
        near = [newest[at] for at in (level, level - 1, level + 1) if at in newest]
        row = next((row for row in near if _goes_on(parts, row[-1], mark, letter)), None)
        if row is None:
            row = []
            rows.append(row)
        row.append(mark)
        newest[level] = row
    for row in rows:
        pitches = np.diff(parts.left[row])
        if len(row) >= LEADER_DOTS and pitches.std() < 0.3 * pitches.mean():
            members = np.array(row)
            dot = float(np.median(parts.width[members]))
            is_wide = pitches.mean() > 3.9 * dot
            leaders.append(_run(parts, members, (". " if is_wide else ".") * (len(row) - 1) + "."))
            for mark in row:
                del unused[mark]
    return leaders, np.array(list(unused), int)


def _goes_on(parts: Components, last: int, mark: int, letter: float) -> bool:
    """Whether a dot is the next one of a row."""
    gap = int(parts.left[mark] - parts.left[last])
    size, before = (int(parts.height[each] + parts.width[each]) for each in (mark, last))
    is_level = abs(int(parts.bottom[mark] - parts.bottom[last])) <= max(1, 0.12 * letter)
    return is_level and 0 < gap < 1.6 * letter and 0.6 < size / before < 1.7
