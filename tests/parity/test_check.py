"""`cabochon check --against`: peers compute what we compute from the built-in sample."""

import pytest

from engine import sample_checkpoint
from engine.bench.check import LAST, NEW_TOKENS, PEERS, check_model


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_writes_the_same_of_the_sample(name: str) -> None:
    found = check_model(sample_checkpoint(), [name]).beside[name]
    assert found.largest_difference < 0.03  # it computes in bfloat16
    assert (found.same_first, found.same_tokens) == (LAST, NEW_TOKENS)
    assert set(found.features) == ({"picture", "sound"} if name == "mlx-vlm" else set())
    assert all(difference < 0.05 for difference in found.features.values())
