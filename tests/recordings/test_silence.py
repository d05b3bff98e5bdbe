"""Recordings are cut where nobody speaks; all that is said is in a stretch, and silence is in none."""

from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.preprocess.sound import SAMPLE_RATE
from engine.recordings.silence import CONTEXT_S, OVERLAP_S, Stretch, cut, speaks
from tests.recordings.made import Said, clip, noise, recording

NEAR_S = 0.1


def spoken(stretches: list[Stretch]) -> list[Stretch]:
    return [each for each in stretches if each.samples is not None]


def babble(seconds: float) -> np.ndarray:
    """Speech without a pause: noise that swells and falls five times a second, like syllables."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return noise(seconds, 0.1) * (0.55 + 0.45 * np.sin(2 * np.pi * 5 * time)).astype(np.float32) + noise(seconds, 0.001)


def in_blocks(samples: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    places = [place for place in np.cumsum(sizes).tolist() if place < len(samples)]
    return np.split(samples, places)


def test_each_row_of_digits_is_a_stretch_of_its_own_in_its_place() -> None:
    samples, said = recording([0, 1, 2, 3, 4, 5], [2, 1.5, 3, 1.2, 2, 4, 3])
    found = spoken(list(cut([samples])))
    assert len(found) == len(said)
    for stretch, true in zip(found, said, strict=True):
        assert abs(stretch.start_s - true.start_s) < NEAR_S
        assert abs(stretch.end_s - true.end_s) < NEAR_S
        assert not stretch.ends_in_speech


@pytest.mark.parametrize("level", [0.0, 0.0003, 0.003, 0.02])
def test_nobody_is_asked_about_silence_hiss_or_hum(level: float) -> None:
    time = np.arange(40 * SAMPLE_RATE) / SAMPLE_RATE
    hum = (0.1 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)
    stretches = list(cut([noise(40, level) + (hum if level else 0)]))
    assert not spoken(stretches)
    assert (stretches[0].start_s, stretches[-1].end_s) == (0, 40)


def test_a_click_is_no_word() -> None:
    samples = noise(10, 0.001)
    samples[80_000:80_300] += 0.5
    assert not speaks(samples)
    assert speaks(np.concatenate([samples, clip(4)[0], samples]))


@pytest.mark.parametrize("gain", [0.01, 0.1, 1.0])
def test_how_loud_it_was_recorded_makes_no_difference(gain: float) -> None:
    samples, said = recording([0, 3, 4], [1.5, 1.5, 1.5, 1.5], level=0.001)
    assert len(spoken(list(cut([samples * gain])))) == len(said)


def test_speech_without_a_pause_is_cut_with_a_second_that_both_hear() -> None:
    stretches = list(cut([babble(70)]))
    assert all(each.samples is not None and len(each.samples) <= 28 * SAMPLE_RATE for each in stretches)
    assert [each.ends_in_speech for each in stretches] == [True] * (len(stretches) - 1) + [False]
    heard = sum(len(each.samples) for each in stretches if each.samples is not None) / SAMPLE_RATE
    assert heard == pytest.approx(70 + OVERLAP_S * (len(stretches) - 1), abs=0.5)
    assert all(before.end_s == after.start_s for before, after in pairwise(stretches))


@pytest.mark.parametrize("lead_s", [18, 22, 26])
@pytest.mark.parametrize(("loud", "quiet"), [(8, 2), (20, 3)])
def test_a_cut_within_a_short_gap_goes_on_behind_it(loud: int, quiet: int, lead_s: int) -> None:
    frame_s = 0.02
    rhythm = np.concatenate([noise(loud * frame_s, 0.1), noise(quiet * frame_s, 0.001)])
    parts = [np.tile(rhythm, round(seconds / (len(rhythm) / SAMPLE_RATE))) for seconds in (lead_s, 90)]
    gap, silence = noise(8 * frame_s, 0.001), noise(12, 0.001)
    samples = np.concatenate([silence, parts[0], gap, parts[1], silence])
    stretches = list(islice(cut([samples]), 20))
    assert stretches[-1].end_s == pytest.approx(len(samples) / SAMPLE_RATE, abs=0.02)
    assert all(each.end_s > each.start_s for each in stretches)


def test_parts_of_a_long_phrase_are_about_as_long_as_each_other() -> None:
    samples, _ = recording([1] * 14, [0.4] * 15)
    found = spoken(list(cut([samples], 28)))
    lengths = [each.end_s - each.start_s for each in found]
    assert len(found) == 2
    assert min(lengths) > 0.8 * max(lengths)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=8),
    st.lists(st.sampled_from([0.15, 0.3, 0.5, 1.0, 2.0, 7.0]), min_size=9, max_size=9),
    st.sampled_from([3.0, 5.0, 28.0]),
)
@settings(max_examples=25)
def test_what_is_said_is_heard_once_in_any_cut(clips: list[int], pauses_s: list[float], longest_s: float) -> None:
    samples, said = recording(clips, [*pauses_s[: len(clips)], 0.5])
    stretches = list(cut([samples], longest_s))
    for before, after in pairwise(stretches):
        assert before.end_s <= after.start_s
    for each in spoken(stretches):
        assert each.samples is not None
        assert len(each.samples) <= longest_s * SAMPLE_RATE
    assert all(is_told(each, stretches) for each in said)


def is_told(said: Said, stretches: list[Stretch]) -> bool:
    """Whether all of it but pauses lies in stretches that are heard."""
    inside = [each for each in spoken(stretches) if each.start_s < said.end_s and each.end_s > said.start_s]
    if not inside:
        return False
    reaches = inside[0].start_s < said.start_s + NEAR_S and inside[-1].end_s > said.end_s - NEAR_S
    return reaches and all(after.start_s - before.end_s < 1 for before, after in pairwise(inside))


@given(sizes=st.lists(st.integers(1, 400_000), max_size=12), is_endless=st.booleans())
@settings(max_examples=30)
def test_the_blocks_make_no_difference(*, sizes: list[int], is_endless: bool) -> None:
    samples, _ = recording([1, 4, 0, 2, 3], [0.4, 2, 0.2, 12, 0.6, 0.5])
    samples = np.concatenate([babble(50), samples, babble(8)]) if is_endless else samples
    one, other = list(cut([samples], 5)), list(cut(in_blocks(samples, sizes), 5))
    assert [(each.start_s, each.end_s, each.ends_in_speech) for each in one] == [
        (each.start_s, each.end_s, each.ends_in_speech) for each in other
    ]
    assert all(
        np.array_equal(mine.samples, yours.samples)
        for mine, yours in zip(spoken(one), spoken(other), strict=True)
        if mine.samples is not None and yours.samples is not None
    )


def test_what_is_said_before_a_pause_is_told_before_the_rest_comes() -> None:
    samples, said = recording([1, 4, 0], [1, 2, 30, 30])
    num_come = 0

    def come() -> Iterator[np.ndarray]:
        nonlocal num_come
        for block in np.split(samples, range(SAMPLE_RATE, len(samples), SAMPLE_RATE)):
            num_come += 1
            yield block

    told_s = [num_come - stretch.end_s for stretch in cut(come()) if stretch.samples is not None]
    assert len(told_s) == len(said)
    assert max(told_s) < CONTEXT_S + 3


def test_going_on_later_gives_the_stretches_that_were_left() -> None:
    samples, _ = recording([1, 4, 0, 2, 3, 5, 1, 2], [0.4, 2, 0.5, 12, 0.6, 3, 2, 9, 1])
    whole = list(cut([samples], 5))
    for number, each in enumerate(whole[:-1], start=1):
        first_s = max(0, int(each.end_s) - CONTEXT_S)
        rest = list(cut([samples[first_s * SAMPLE_RATE :]], 5, first_s=first_s, begin_s=each.end_s))
        assert [(each.start_s, each.end_s) for each in rest] == [(each.start_s, each.end_s) for each in whole[number:]]


def test_going_on_in_the_middle_of_speech_hears_what_the_one_before_heard() -> None:
    samples = babble(70)
    whole = list(cut([samples], 10))
    at = whole[2].end_s
    first_s = int(at) - CONTEXT_S
    rest = list(cut([samples[first_s * SAMPLE_RATE :]], 10, first_s=first_s, begin_s=at))
    assert rest[0].begins_in_speech
    assert whole[3].samples is not None
    assert np.array_equal(rest[0].samples, whole[3].samples)


def test_nothing_comes_of_nothing() -> None:
    assert list(cut([])) == []
    assert list(cut([np.zeros(100, np.float32)])) == [Stretch(0.0, 0.02)]
