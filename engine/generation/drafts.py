"""Tokens that may come next, for the model to look at several at once: who drafts them, and whether that pays.

Every draft is exact: the model chooses each token itself, and what it would not have written is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import mlx.core as mx

from engine.cache.kv_cache import KVCache
from engine.generation.lookup import Lookup
from engine.models.attention import KeysValues
from engine.models.decoder import Masks
from engine.models.drafter import Drafter, Seen
from engine.models.gemma4 import Gemma4

__all__ = ["Drafts", "Gain", "Gains", "ModelDrafts"]

LEAST_GAIN = 1.03
"""Times as fast as without, from which drafts stay."""

SKIPPED, PLAIN, DRAFTED = 3, 8, 32
"""Tokens after a change that are not measured, and those that are, without and with drafts."""

SHORTEST_REST, LONGEST_REST = 256, 4096
"""Tokens without drafts after a loss; twice as many after each further one."""

LOOK_AGAIN = 512
"""Tokens with drafts after which it is measured once more whether they pay."""


class Gain:
    """Whether one kind of drafts makes tokens faster here, from seconds a token with and without them."""

    def __init__(self, *, is_on: bool) -> None:
        """is_on: drafts begin before anything was measured without them."""
        self.gain: float | None = None
        """Times as fast as without; None until both were measured."""
        self._plain: list[float] = []
        self._drafted: list[float] = []
        self._num_skipped = 0
        self._rest, self._next_rest = 0, SHORTEST_REST
        self._num_on = 0
        self._waits_for_plain = not is_on

    @property
    def is_on(self) -> bool:
        """Whether the next token may be drafted."""
        return not self._rest and not self._waits_for_plain

    def took(self, seconds: float, *, was_drafted: bool) -> None:
        """A token took so long."""
        self._rest = max(0, self._rest - (not was_drafted))
        measured = self._drafted if was_drafted else self._plain
        if not measured and self._num_skipped < SKIPPED:
            self._num_skipped += 1
            return
        self._num_skipped = 0
        measured.append(seconds)
        del measured[: -(DRAFTED if was_drafted else PLAIN)]
        self._num_on += was_drafted
        if len(self._plain) == PLAIN:
            self._waits_for_plain = False
        if was_drafted and len(self._drafted) == DRAFTED and len(self._plain) == PLAIN:
            self._judge()

    def _judge(self) -> None:
        usual = sorted(self._plain)[PLAIN // 2]
        self.gain = usual / (sum(self._drafted) / DRAFTED)
        if self.gain < LEAST_GAIN:
            self._rest, self._next_rest = self._next_rest, min(LONGEST_REST, 2 * self._next_rest)
            self._plain, self._drafted, self._num_on = [], [], 0
        elif self._num_on >= LOOK_AGAIN:
            self._next_rest = SHORTEST_REST
            self._plain, self._drafted, self._num_on = [], [], 0
            self._waits_for_plain = True


@dataclass
class Gains:
    """What drafts gained so far, of a loaded model: a lookup that finds nothing costs nothing, so it may begin."""

    lookup: Gain = field(default_factory=lambda: Gain(is_on=True))
    drafter: Gain = field(default_factory=lambda: Gain(is_on=False))


class ModelDrafts:
    """The drafter beside its model."""

    def __init__(self, drafter: Drafter, model: Gemma4, count: int) -> None:
        """count: tokens of a draft."""
        self.count = count
        self._drafter, self._model = drafter, model
        layers = model.config.text.layers[: model.config.text.num_kv_layers]
        self._sliding = max(index for index, layer in enumerate(layers) if layer.is_sliding)
        self._full = max(index for index, layer in enumerate(layers) if not layer.is_sliding)

    def draft(self, token: int, state: mx.array, kv: KVCache, count: int) -> mx.array:
        """Tokens [count] after `token`, which is not in the cache yet; `state` [hidden] is of the position before."""
        decoder = self._model.language_model
        return self._drafter.draft(
            decoder.embed, mx.array([token], mx.int32), state[None, None], self._seen(kv), kv.length - 1, count
        )

    def _seen(self, kv: KVCache) -> Seen:
        """The last positions of the cache: `window` of them on sliding layers."""
        ring, full = kv.layers[self._sliding].buffers, kv.layers[self._full].buffers
        size = min(kv.length, ring[0].shape[2])
        return Seen(_first(ring, size), _first(full, kv.length), Masks(None, None))


Mode = Literal["auto", "off"] | int
"""By measured gain; never; so many tokens at once, always."""


class Drafts:
    """What the tokens of one answer are drafted from."""

    def __init__(self, mode: Mode, vocab_size: int, gains: Gains, drafter: ModelDrafts | None = None) -> None:
        self.num_drafted = self.num_right = 0
        self._mode, self._gains, self._drafter = mode, gains, drafter
        self._lookup = Lookup(vocab_size)
        self._kind: Literal["lookup", "drafter"] | None = None

    def wants(self, keys: Sequence[int]) -> bool:
        """Whether the token after these is worth a draft."""
        is_always = isinstance(self._mode, int)
        self._kind = None
        if self._mode == "off":
            return False
        if (is_always or self._gains.lookup.is_on) and self._lookup.has_match(keys):
            self._kind = "lookup"
        elif self._drafter is not None and (is_always or self._gains.drafter.is_on):
            self._kind = "drafter"
        return self._kind is not None

    def draft(self, keys: Sequence[int], state: mx.array | None, kv: KVCache, most: int) -> mx.array:
        """Tokens [n], int32 and lazy, n at most `most`, after `keys`, whose last is not in the cache yet.

        state [hidden]: the model's normed one of the position before; without it the drafter has to wait.
        """
        most = min(most, self._mode) if isinstance(self._mode, int) else most
        found = self._lookup.draft(keys, most) if self._kind == "lookup" else []
        if found or self._drafter is None or state is None or most <= 0:
            return mx.array(found, mx.int32)
        self._kind = "drafter"
        count = self._mode if isinstance(self._mode, int) else self._drafter.count
        return self._drafter.draft(keys[-1], state, kv, min(count, most))

    def took(self, seconds: float, *, was_drafted: bool) -> None:
        """A token took so long."""
        if self._mode != "auto":
            return
        for kind, gain in (("lookup", self._gains.lookup), ("drafter", self._gains.drafter)):
            if not was_drafted or self._kind == kind:
                gain.took(seconds, was_drafted=was_drafted)

    def learn(self, num_drafted: int, num_right: int) -> None:
        """So many tokens of a draft were what the model wrote."""
        self.num_drafted += num_drafted
        self.num_right += num_right
        if self._kind == "lookup" and num_drafted:
            self._lookup.learn(num_drafted, num_right)


def _first(pair: KeysValues, size: int) -> KeysValues:
    return pair[0][:, :, :size], pair[1][:, :, :size]
