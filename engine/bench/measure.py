"""One engine, one checkpoint, one process: load, prefill, decode. Prints its figures as a line of JSON.

Every engine gets the same token ids, decodes greedily and ignores stop tokens; `json-mask` is ours with a mask over the
tokens, so that it writes one JSON document after the other. Ours also decodes several prompts at once. Run as
`python -m engine.bench.measure ENGINE MODEL PROMPT_TOKENS NEW_TOKENS`.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

__all__ = ["PEERS", "measure"]

Generate = Callable[[list[int]], Iterator[int]]
"""Token ids of a prompt -> new token ids, one by one."""

InRows = Callable[[list[list[int]]], Iterator[list[int]]]
"""Token ids of several prompts -> a new token id of each at once."""

ROWS = (4, 8)


class Loaded(NamedTuple):
    """An engine with a model."""

    generate: Generate
    in_rows: InRows | None = None


def measure(name: str, model: Path, prompt_tokens: int, new_tokens: int) -> dict[str, float]:
    """Figures of one run: seconds, tokens per second, bytes. Loading includes each engine's own imports."""
    started = time.perf_counter()
    generate, in_rows = LOADERS[name](model)
    loaded = time.perf_counter()
    list(islice(generate(_prompt(8)), 2))  # kernels and lazy imports are nobody's first token
    prompt = _prompt(prompt_tokens)
    began = time.perf_counter()
    tokens = generate(prompt)
    next(tokens)
    first = time.perf_counter()
    count = sum(1 for _ in islice(tokens, new_tokens - 1))
    done = time.perf_counter()
    import mlx.core as mx

    figures = {
        "load_s": loaded - started,
        "time_to_first_token_s": first - began,
        "prefill_tokens_per_second": prompt_tokens / (first - began),
        "decode_tokens_per_second": count / (done - first),
        "peak_memory_bytes": float(mx.get_peak_memory()),
    }
    return figures if in_rows is None else figures | _measure_rows(in_rows, prompt_tokens, new_tokens)


def _measure_rows(in_rows: InRows, prompt_tokens: int, new_tokens: int) -> dict[str, float]:
    """Tokens per second of all rows together, whose prompts are of different lengths."""
    figures = {}
    for num_rows in ROWS:
        steps = in_rows([_prompt(prompt_tokens + row) for row in range(num_rows)])
        figures[f"decode_tokens_per_second_{num_rows}_rows"] = num_rows * _steps_per_second(steps, new_tokens)
    return figures


def _steps_per_second(steps: Iterator[object], count: int) -> float:
    next(steps)
    began = time.perf_counter()
    return sum(1 for _ in islice(steps, count - 1)) / (time.perf_counter() - began)


def _prompt(length: int) -> list[int]:
    """The same ids for every engine: after <bos>, byte tokens, which every Gemma vocabulary has from id 238 on."""
    return [2, *(238 + (7 * index) % 256 for index in range(length - 1))]


def _load_ours(model: Path) -> Loaded:
    from engine.engine import Engine
    from engine.prompt.prompt import Prompt

    engine = Engine.load(model)
    return Loaded(
        lambda ids: engine.tokens(Prompt(tuple(ids))),
        lambda prompts: engine.tokens_in_rows(Prompt(tuple(ids)) for ids in prompts),
    )


def _load_masked(model: Path) -> Loaded:
    """Ours, held to JSON."""
    from engine.engine import Engine
    from engine.prompt.prompt import Prompt
    from engine.protocol.options import AnyJson

    engine = Engine.load(model)
    return Loaded(lambda ids: engine.tokens_in_form(Prompt(tuple(ids)), AnyJson()))


def _load_mlx_lm(model: Path) -> Loaded:
    import mlx.core as mx
    import mlx_lm

    network, tokenizer = mlx_lm.load(str(model))[:2]
    tokenizer.eos_token_ids = []

    def generate(ids: list[int]) -> Iterator[int]:
        for response in mlx_lm.stream_generate(network, tokenizer, mx.array(ids), max_tokens=100_000):
            yield response.token

    return Loaded(generate)


def _load_mlx_vlm(model: Path) -> Loaded:
    import mlx.core as mx
    import mlx_vlm

    network, processor = mlx_vlm.load(str(model))
    processor.tokenizer.stopping_criteria = lambda token: False

    def generate(ids: list[int]) -> Iterator[int]:
        arguments = {"input_ids": mx.array([ids]), "max_tokens": 100_000, "temperature": 0.0}
        for response in mlx_vlm.stream_generate(network, processor, "", **arguments):
            yield response.token

    return Loaded(generate)


LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "cabochon": _load_ours,
    "json-mask": _load_masked,
    "mlx-lm": _load_mlx_lm,
    "mlx-vlm": _load_mlx_vlm,
}
PEERS = ("json-mask", "mlx-lm", "mlx-vlm")


if __name__ == "__main__":
    engine_name, folder, prompt_length, new_length = sys.argv[1:]
    print(json.dumps(measure(engine_name, Path(folder), int(prompt_length), int(new_length))))
