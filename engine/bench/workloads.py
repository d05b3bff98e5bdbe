"""One engine in a process of its own, with a model, doing one piece of work after the other when it is told to.

Run as `python -m engine.bench.workloads ENGINE MODEL FOLDER`: each line of stdin is a task and its arguments in JSON,
each line of stdout its figures: seconds or bytes by name, or {"error": …}. Peers get the same token ids and files,
decode greedily and ignore stop tokens. On the CPU their weights are cast to float32, in which it is fastest for all.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

__all__ = ["ENGINES", "FILE_TABLE", "OURS"]

OURS, FILE_TABLE = "cabochon", "cabochon, table in the file"

Figures = dict[str, float]

TURN_TOKENS, FOLLOWING = 512, 35
"""Of a first turn, and of what comes after its answer."""

ANSWER_TOKENS = 16
LONG_WORDS = 1200
"""Of a conversation that is gone on with in several ways."""

PAGE_SIZE = 1240, 1754
"""Pixels of a page of print."""

PAGE_TOKENS, TEXT_TOKENS = 64, 256
"""Of its text: a beginning, and so much that writing it counts as it does of a whole page."""

RECEIPTS = 8
"""Files of a queue, each with a page of few lines."""

PAGE = "Dear Ms Okafor, we thank you for your letter of 14 March and answer each of your questions in turn. " * 3


def ids(length: int, seed: int = 0) -> list[int]:
    """A prompt for any engine: <bos>, and byte tokens, which every Gemma vocabulary has from id 238 on."""
    return [2, *(238 + (7 * index + 31 * seed) % 256 for index in range(length - 1))]


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Workload:
    """What every engine can be asked to do; what it cannot, it does not have."""

    def generate(self, prompt: Sequence[int]) -> Iterator[int]:
        """The most likely tokens after a prompt that nothing is known of."""
        raise NotImplementedError

    def first(self, length: int) -> Figures:
        """Until the first token of a prompt."""
        tokens = self.generate(ids(length))
        return {"s": seconds(lambda: next(tokens))}

    def decode(self, count: int) -> Figures:
        """A token, after a short prompt."""
        tokens = self.generate(ids(32))
        next(tokens)
        return {"s": seconds(lambda: list(islice(tokens, count))) / count}

    def memory(self) -> Figures:
        """Active after some text."""
        import mlx.core as mx

        list(islice(self.generate(ids(128)), 8))
        mx.clear_cache()
        return {"bytes": float(mx.get_active_memory())}


class Cabochon(Workload):
    """Ours."""

    def __init__(self, model: Path, folder: Path, *, keeps_table: bool = True) -> None:
        """folder: for pictures and states."""
        from engine.engine import Engine

        self._engine = Engine.load(model, keeps_table=keeps_table)
        self._model, self._folder = model, folder

    def generate(self, prompt: Sequence[int]) -> Iterator[int]:
        """The most likely tokens after a prompt, computed cold."""
        from engine.prompt.prompt import Prompt

        return self._engine.tokens(Prompt(tuple(prompt)))

    def second_turn(self) -> Figures:
        """The first token after a turn, its answer and some more."""
        from engine.generation.decode import decode
        from engine.generation.prefill import prefill
        from engine.generation.sampling import Sampler
        from engine.prompt.prompt import Prompt
        from engine.protocol.options import GREEDY

        engine, prompt = self._engine, Prompt(tuple(ids(TURN_TOKENS)))
        session, logits = engine._fill_cold(prompt)
        choose = Sampler(GREEDY, engine._suppress)
        written = list(islice(decode(engine._step, session, logits, choose, len(prompt) * 2), ANSWER_TOKENS))
        second = Prompt((*prompt.token_ids, *written, *ids(FOLLOWING, 1)))

        def go_on() -> None:
            for _, last in prefill(engine._model, second, {}, session, 512):
                if last is not None:
                    last.argmax().item()

        return {"s": seconds(go_on)}

    def rows(self, count: int) -> Figures:
        """A token, of each of several answers at once."""
        from engine.prompt.prompt import Prompt

        steps = self._engine.tokens_in_rows(Prompt(tuple(ids(32 + row, row))) for row in range(count))
        next(steps)
        return {"s": seconds(lambda: list(islice(steps, 32))) / 32 / count}

    def turns(self) -> Figures:
        """First tokens of a long conversation that is gone on with, cold and in each way that something is known."""
        from engine.protocol.messages import Message, Text, user
        from engine.protocol.requests import Keeping

        folder = self._folder / "kept"
        folder.mkdir(exist_ok=True)
        keeping = Keeping(str(folder), 2**32)
        first = [user("word " * LONG_WORDS)]
        second = [*first, Message("assistant", (Text("As it is kept, without its thought."),)), user("And then?")]
        self._forget()
        figures = {"cold": self._first_token(second)}
        self._forget()
        self._first_token(first, keeping)
        figures["stripped"] = self._first_token(second)
        figures["again"] = self._first_token(second)
        self._first_token([user("Something else entirely.")])
        figures["back"] = self._first_token([*second, Message("assistant", (Text("Yes."),)), user("Why?")])
        self._forget()
        figures["disk"] = self._first_token(second, keeping)
        return figures

    def picture_turns(self) -> Figures:
        """The same of a conversation about a picture, and with a second picture."""
        from engine.protocol.messages import Message, Picture, Text, user

        one, two = (Picture(str(self._picture(seed)), 280) for seed in (1, 2))
        first = [user("word " * (LONG_WORDS // 2), one)]
        answered = [*first, Message("assistant", (Text("A picture."),))]
        self._forget()
        figures = {"cold": self._first_token([*answered, user("And then?")])}
        self._forget()
        self._first_token(first)
        figures["next"] = self._first_token([*answered, user("And then?")])
        self._forget()
        figures["cold second"] = self._first_token([*answered, user("And this?", two)])
        self._forget()
        self._first_token(first)
        figures["second"] = self._first_token([*answered, user("And this?", two)])
        return figures

    def lookup(self) -> Figures:
        """A token of a page that stands in the prompt and is written again, without drafts and with them."""
        return {draft: self._written_again(draft) for draft in ("off", "auto")}

    def unlike(self) -> Figures:
        """A token of text in which nothing is found again, without drafts and with them."""
        return {draft: self._written_again(draft, PAGE[::-1]) for draft in ("off", "auto")}

    def prepare(self, budget: int) -> Figures:
        """A picture's file to patches."""
        from engine.protocol.messages import Picture

        self._forget()
        part = Picture(str(self._picture(0)), budget)
        return {"s": seconds(lambda: self._engine._media.read(part, lambda: None))}

    def picture(self, budget: int) -> Figures:
        """Patches to soft tokens."""
        from engine.protocol.messages import Picture

        return self._encode(Picture(str(self._picture(0)), budget))

    def page(self, budget: Any, count: int) -> Figures:
        """A page of print to its first tokens of text, by the road that documents take."""
        from dataclasses import replace

        import msgspec

        from engine.protocol.documents import PageInfo, Reading
        from engine.protocol.events import Traits
        from engine.tasks.asking import Answered, Ask, ask_engine
        from engine.tasks.reading import read_page

        self._forget()
        answer = ask_engine(self._engine)

        def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
            shorter = {"max_new_tokens": count, "max_repeated": None}
            return answer(replace(each, options=msgspec.structs.replace(each.options, **shorter)) for each in asks)

        info, reading = PageInfo(1, *PAGE_SIZE, "picture", ""), Reading("page", budget=budget, turned=0)
        return {"s": seconds(lambda: list(read_page(page_of_print(0), info, (), reading, Traits(), ask)))}

    def pages(self, count: int) -> Figures:
        """A page, of several that are asked for at once."""
        from engine.protocol.messages import Picture, user
        from engine.protocol.options import GREEDY, Options
        from engine.tasks.asking import Ask, ask_engine
        from engine.tasks.ocr import PROMPTS

        self._forget()
        asks = []
        for seed in range(count):
            path = self._folder / f"page {seed}.png"
            page_of_print(seed).save(path)
            picture = Picture(str(path), 280)
            asks.append(Ask((user(PROMPTS["text"], picture),), Options(GREEDY, max_new_tokens=TEXT_TOKENS)))
        return {"s": seconds(lambda: list(ask_engine(self._engine)(asks))) / count}

    def queue(self, at_once: int) -> Figures:
        """A page of files of one page, by the road of the window's queue, which asks for so many ahead."""
        from engine.protocol.documents import Reading
        from engine.protocol.requests import ReadDocument

        reading = Reading("page", budget=280, turned=0)
        paths = [self._folder / f"receipt {seed}.png" for seed in range(RECEIPTS)]
        for seed, path in enumerate(paths):
            if not path.exists():
                receipt(seed).save(path)
        events = self._worker()

        def read() -> None:
            for first in range(0, RECEIPTS, at_once):
                some = paths[first : first + at_once]
                for number, path in enumerate(some, 2):
                    self._at_work.submit(ReadDocument(number, str(path), reading, is_queued=True))
                _until_over(events, len(some))

        return {"s": seconds(read) / RECEIPTS}

    def _worker(self) -> Any:
        """The events of an engine beside this one, as the window has it."""
        from queue import SimpleQueue

        from engine.process.worker import EngineWorker
        from engine.protocol.requests import Envelope, LoadModel

        if not hasattr(self, "_heard"):
            self._heard = SimpleQueue[Envelope]()
            self._at_work = EngineWorker(self._heard.put)
            self._at_work.start()
            self._at_work.submit(LoadModel(1, str(self._model)))
            _until_over(self._heard, 1)
        return self._heard

    def sound(self) -> Figures:
        """Thirty seconds to soft tokens."""
        from engine.bench.fit import write_sound
        from engine.protocol.messages import Sound

        return self._encode(Sound(str(write_sound(self._folder / "clip.wav"))))

    def _encode(self, part: Any) -> Figures:
        import mlx.core as mx

        self._forget()
        item = self._engine._media.read(part, lambda: None)
        mx.clear_cache()
        before = mx.get_active_memory()
        mx.reset_peak_memory()
        taken = seconds(lambda: self._engine._media.encode([item]))
        return {"s": taken, "bytes": float(mx.get_peak_memory() - before)}

    def _first_token(self, messages: Sequence[Any], keeping: Any = None) -> float:
        from engine.protocol.options import GREEDY, Options

        options = Options(GREEDY, max_new_tokens=1)
        return seconds(lambda: list(self._engine.respond(messages, options, keeping=keeping)))

    def _written_again(self, draft: Any, page: str = PAGE) -> float:
        from engine.protocol.events import Finished
        from engine.protocol.messages import user
        from engine.protocol.options import GREEDY, Options, Regex

        options = Options(GREEDY, format=Regex(re.escape(page)), draft=draft)
        events = list(self._engine.respond([user(f"Write this again: {PAGE}")], options))
        end = events[-1]
        assert isinstance(end, Finished)
        return 1 / end.stats.decode_tokens_per_second

    def _forget(self) -> None:
        self._engine.close()
        self._engine.sessions.shrink(0)
        self._engine._media._features.clear()
        self._engine._media._known.clear()

    def _picture(self, seed: int) -> Path:
        path = self._folder / f"{seed}.png"
        if not path.exists():
            test_picture(seed).save(path)
        return path


class MlxLm(Workload):
    """The peer for text."""

    def __init__(self, model: Path, folder: Path) -> None:
        import mlx_lm

        self._model, self._tokenizer = mlx_lm.load(str(model))[:2]
        self._tokenizer.eos_token_ids = []
        cast_on_cpu(self._model)

    def generate(self, prompt: Sequence[int], cache: Any = None) -> Iterator[int]:
        """The most likely tokens after a prompt, or after what a cache holds and it."""
        import mlx.core as mx
        import mlx_lm

        named = {} if cache is None else {"prompt_cache": cache}
        for response in mlx_lm.stream_generate(
            self._model, self._tokenizer, mx.array(list(prompt)), max_tokens=100_000, **named
        ):
            yield response.token

    def second_turn(self) -> Figures:
        """The first token after a turn, its answer and some more."""
        from mlx_lm.models.cache import make_prompt_cache

        cache = make_prompt_cache(self._model)
        list(islice(self.generate(ids(TURN_TOKENS), cache), ANSWER_TOKENS))
        tokens = self.generate(ids(FOLLOWING, 1), cache)
        return {"s": seconds(lambda: next(tokens))}


class MlxVlm(Workload):
    """The peer for text, pictures and sounds."""

    def __init__(self, model: Path, folder: Path) -> None:
        import mlx_vlm

        self._folder = folder
        self._model, self._processor = mlx_vlm.load(str(model))
        getattr(self._processor, "tokenizer", self._processor).stopping_criteria = lambda token: False
        cast_on_cpu(self._model.language_model)

    def generate(self, prompt: Sequence[int]) -> Iterator[int]:
        """The most likely tokens after a prompt."""
        import mlx.core as mx
        import mlx_vlm

        named = {"input_ids": mx.array([list(prompt)]), "max_tokens": 100_000, "temperature": 0.0}
        for response in mlx_vlm.stream_generate(self._model, self._processor, "", **named):
            yield response.token

    def prepare(self, budget: int) -> Figures:
        """A picture's file to patches."""
        from PIL import Image

        path = self._folder / "0.png"
        test_picture(0).save(path)
        return {"s": seconds(lambda: self._patches(Image.open(path).convert("RGB"), budget))}

    def picture(self, budget: int) -> Figures:
        """Patches to soft tokens."""
        prepared = self._patches(test_picture(0), budget)
        positions = prepared.get("image_position_ids")
        named = {} if positions is None else {"image_position_ids": positions}
        return _evaluated(lambda: self._model.encode_image(prepared["pixel_values"], **named))

    def page(self, budget: int, count: int) -> Figures:
        """A page of print to its first tokens of text."""
        import mlx.core as mx
        import mlx_vlm

        from engine.tasks.ocr import PROMPTS

        text = f"<bos><|turn>user\n{self._processor.image_token}{PROMPTS['text']}<turn|>\n<|turn>model\n"

        def read() -> None:
            prepared = self._processor(images=[page_of_print(0)], text=[text], max_soft_tokens=budget)
            named = {name: mx.array(value) for name, value in prepared.items() if name != "attention_mask"}
            tokens = mlx_vlm.stream_generate(
                self._model, self._processor, "", **named, max_tokens=count, temperature=0.0
            )
            list(islice(tokens, count))

        return {"s": seconds(read)}

    def sound(self) -> Figures:
        """Thirty seconds to soft tokens."""
        import mlx.core as mx
        import numpy as np

        from engine.bench.fit import SOUND

        samples = np.frombuffer(SOUND, np.int16).astype(np.float32) / 32768
        prepared = self._processor(audio=[samples], text=[self._processor.audio_token])
        features, mask = mx.array(prepared["input_features"]), mx.array(prepared["input_features_mask"])

        def encode() -> mx.array:
            encoded, _ = self._model.audio_tower(features, ~mask.astype(mx.bool_))
            return self._model.embed_audio(encoded)

        return _evaluated(encode)

    def _patches(self, picture: Any, budget: int) -> Any:
        return self._processor(images=[picture], text=[self._processor.image_token], max_soft_tokens=budget)


def _until_over(events: Any, count: int) -> None:
    """Until so many requests are; raises what goes wrong with one."""
    from engine.protocol.events import DocumentRead, Failed, ModelLoaded

    while count:
        match events.get().event:
            case Failed() as failed:
                raise RuntimeError(failed.message)
            case DocumentRead() | ModelLoaded():
                count -= 1


def _evaluated(work: Callable[[], Any]) -> Figures:
    import mlx.core as mx

    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    taken = seconds(lambda: mx.eval(work()))
    return {"s": taken, "bytes": float(mx.get_peak_memory() - before)}


def test_picture(seed: int) -> Any:
    """A page-like picture that takes the whole of any budget."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(seed).integers(0, 256, (96, 128, 3), np.uint8)
    return Image.fromarray(noise).resize((1024, 768))


def receipt(seed: int) -> Any:
    """A picture of a few lines of print."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (480, 360), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(24)
    for line in range(6):
        draw.text((30, 30 + 50 * line), f"{seed + line} {PAGE[7 * line : 7 * line + 14]} {seed}.{line}0", "black", font)
    return page


def page_of_print(seed: int) -> Any:
    """A page of lines of print at 150 dpi."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", PAGE_SIZE, "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(24)
    for line in range(42):
        draw.text((120, 130 + 36 * line), f"{seed + line}. {PAGE[line : line + 66]}", fill="black", font=font)
    return page


def cast_on_cpu(model: Any) -> None:
    """Weights, scales and biases to float32, where MLX computes on the CPU."""
    import mlx.core as mx
    from mlx.utils import tree_map

    from engine.backend import backend_name

    def cast(array: mx.array) -> mx.array:
        return array.astype(mx.float32) if mx.issubdtype(array.dtype, mx.floating) else array

    if backend_name() == "cpu":
        model.update(tree_map(cast, model.parameters()))
    mx.eval(model.parameters())


ENGINES: dict[str, Callable[[Path, Path], Workload]] = {
    OURS: Cabochon,
    FILE_TABLE: lambda model, folder: Cabochon(model, folder, keeps_table=False),
    "mlx-lm": MlxLm,
    "mlx-vlm": MlxVlm,
}


def serve(workload: Workload, lines: Iterable[str]) -> Iterator[str]:
    """The figures of each task, a line for a line."""
    for line in lines:
        task, *arguments = json.loads(line)
        try:
            work = getattr(workload, task, None)
            yield json.dumps({} if work is None else work(*arguments))
        except Exception as error:  # noqa: BLE001 - a peer may not be able to; the table says so
            yield _failure(error)


def main(name: str, model: Path, folder: Path) -> None:
    """Load, warm up, and serve stdin."""
    from engine.backend import obey_environment

    obey_environment()
    answers = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = sys.stderr  # a peer prints what it likes
    try:
        workload = ENGINES[name](model, folder)
        list(islice(workload.generate(ids(8)), 2))  # kernels and lazy imports are nobody's first token
    except Exception as error:  # noqa: BLE001 - it is not installed, or does not know the model: the table says so
        print(_failure(error), file=answers)
        return
    print("{}", file=answers, flush=True)
    for line in serve(workload, sys.stdin):
        print(line, file=answers, flush=True)


def _failure(error: Exception) -> str:
    return json.dumps({"error": f"{type(error).__name__}: {error}"[:100]})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
