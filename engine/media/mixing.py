"""Channels become one: by where their loudspeakers stand, so that speech in the middle stays in front."""

from collections.abc import Sequence

import numpy as np

__all__ = ["channel_weights", "lone_channel"]

_FRONT, _CENTRE, _REAR, _BASS = 0.5, 0.71, 0.35, 0.0

_WEIGHTS = {
    "FL": _FRONT, "FR": _FRONT, "FLC": _FRONT, "FRC": _FRONT, "DL": _FRONT, "DR": _FRONT, "FC": _CENTRE,
    "BL": _REAR, "BR": _REAR, "SL": _REAR, "SR": _REAR, "BC": _REAR, "LFE": _BASS, "LFE2": _BASS,
}  # fmt: skip
"""By the names that FFmpeg gives to channels."""

_USUAL = {
    2: ("FL", "FR"), 3: ("FL", "FR", "FC"), 4: ("FL", "FR", "BL", "BR"), 5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"), 7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}  # fmt: skip
"""The order of WAV and FLAC, where a file does not name its channels."""

_CANCELLED = 0.05
"""Of the loudest channel's power: a mix with less has lost what that channel says."""


def channel_weights(num_channels: int, names: Sequence[str] = ()) -> np.ndarray:
    """What each channel adds to the mix, float32 [channels]; the average where nobody says what they are."""
    names = names if len(names) == num_channels else _USUAL.get(num_channels, ())
    weights = np.array([_WEIGHTS.get(name, np.nan) for name in names], np.float32)
    if num_channels == 1 or len(weights) != num_channels or not (weights > 0).any():  # any is False for names unknown
        return np.full(num_channels, 1 / num_channels, np.float32)
    return np.nan_to_num(weights, nan=_REAR)


def lone_channel(mix_power: float, powers: np.ndarray, weights: np.ndarray) -> int | None:
    """The channel to take alone where the mix cancels; `powers` are those of the channels, of which bass counts not."""
    loudest = int(np.argmax(np.where(weights > 0, powers, -1.0)))
    return loudest if mix_power < _CANCELLED * powers[loudest] else None
