"""`generation_config.json`: the makers' advice, taken where it is given and refused where it is damaged."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.checkpoint.advice import GenerationAdvice, read_advice
from engine.protocol.errors import CheckpointError
from engine.protocol.options import VENDOR_SAMPLING, Sampling

VENDOR = {
    "bos_token_id": 2, "do_sample": True, "eos_token_id": [1, 106, 50], "pad_token_id": 0, "temperature": 1.0,
    "top_k": 64, "top_p": 0.95, "transformers_version": "5.5.0.dev0",
}  # fmt: skip


def advice(folder: Path, values: dict[str, Any]) -> GenerationAdvice:
    (folder / "generation_config.json").write_text(json.dumps(values))
    return read_advice(folder)


def test_the_vendors_file_is_taken_as_it_is(tmp_path: Path) -> None:
    assert advice(tmp_path, VENDOR) == GenerationAdvice(VENDOR_SAMPLING, (1, 106, 50), ())


def test_a_folder_without_advice_gets_the_vendors_sampling(tmp_path: Path) -> None:
    assert read_advice(tmp_path) == advice(tmp_path, {"do_sample": True}) == GenerationAdvice(VENDOR_SAMPLING, (), ())


def test_ST_1_a_scalar_stop_token_is_one_of_them(tmp_path: Path) -> None:
    assert advice(tmp_path, {"eos_token_id": 106}).stop_token_ids == (106,)
    assert advice(tmp_path, {"eos_token_id": None}).stop_token_ids == ()


def test_the_12bs_suppressed_tokens_are_read(tmp_path: Path) -> None:
    assert advice(tmp_path, {"suppress_tokens": [258883, 258882]}).suppressed_token_ids == (258883, 258882)


def test_advice_may_be_partial(tmp_path: Path) -> None:
    assert advice(tmp_path, {"do_sample": True, "temperature": 0.3, "top_p": None}).sampling == Sampling(
        0.3
    ).filled_from(VENDOR_SAMPLING)
    assert advice(tmp_path, {"do_sample": True, "top_k": 0, "temperature": 1}).sampling == Sampling(
        top_k=0
    ).filled_from(VENDOR_SAMPLING)


def test_a_model_that_should_not_be_sampled_is_not(tmp_path: Path) -> None:
    for do_sample in (False, None):
        assert advice(tmp_path, {**VENDOR, "do_sample": do_sample}).sampling.temperature == 0
    penalized = advice(tmp_path, {"temperature": 0.7, "repetition_penalty": 1.2}).sampling
    assert (penalized.temperature, penalized.repetition_penalty) == (0, 1.2)


def test_rarer_advice_is_followed_too(tmp_path: Path) -> None:
    sampling = advice(tmp_path, {**VENDOR, "min_p": 0.05, "repetition_penalty": 1.1}).sampling
    assert (sampling.min_p, sampling.repetition_penalty) == (0.05, 1.1)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": -1}, {"temperature": "warm"}, {"top_k": 1.5}, {"top_k": -2}, {"top_p": 0}, {"top_p": 2},
        {"eos_token_id": "<eos>"}, {"eos_token_id": [1, None]}, {"eos_token_id": True}, {"suppress_tokens": {"a": 1}},
        {"suppress_tokens": [[1]]},
    ],
    ids=str,
)  # fmt: skip
def test_damaged_advice_is_one_error_that_names_the_file(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"generation_config\.json is damaged: .*\. Download the model again\.$"):
        advice(tmp_path, VENDOR | change)


def test_advice_that_is_not_json_is_one_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"generation_config\.json is damaged"):
        read_advice(tmp_path)
