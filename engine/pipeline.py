"""The whole way from messages to events, on one page.

    messages -> media -> prompt -> what is known already -> prefill -> decode -> events

Everything here runs on the one thread that owns MLX.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import mlx.core as mx

from engine.backend import backend_name, compiles_whole_steps, compute_dtype, default_state_bytes
from engine.cache.kv_cache import KVCache
from engine.cache.sessions import Session, Sessions
from engine.checkpoint.advice import GenerationAdvice, read_advice
from engine.checkpoint.loader import CheckedFiles, check_files, load_files
from engine.checkpoint.sample import sample_checkpoint
from engine.errors import CheckpointError, ContextFull, EngineError, PromptError
from engine.events import (
    Event,
    Finished,
    FinishReason,
    Logprob,
    Logprobs,
    ModelInfo,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    Receipt,
    SoundReceipt,
    Stats,
    VideoReceipt,
)
from engine.generation.constraint import Grammars
from engine.generation.decode import Choose, decode, make_decode_step
from engine.generation.prefill import all_logits, prefill
from engine.generation.sampling import Sampler, log_probabilities, suppression
from engine.media_encoder import MediaEncoder, modalities
from engine.messages import Message
from engine.models.config import ModelConfig, TextConfig
from engine.models.gemma4 import Gemma4
from engine.options import GREEDY, AnswerFormat, Options
from engine.prompt.builder import build_prompt
from engine.prompt.own_template import read_own_template, render_own
from engine.prompt.prompt import Prompt
from engine.prompt.special_tokens import STOP_TOKEN_IDS, Special
from engine.prompt.template import begun_text, render
from engine.prompt.tokenizer import Tokenizer
from engine.response.parser import ResponseParser, free_call_ids, parse
from engine.tools import check_tools_differ
from engine.turn import Turn

__all__ = ["CheckedModel", "Engine"]

USUAL_TEXT = """\
Thank you for your letter of 14 March. We have read it with care, and we would like to answer each of your questions.
Wir danken für Ihren Brief: die Lieferung kommt am Dienstag, den 21. Mai, gegen 9:30 Uhr.
def total(prices: list[float], discount: float = 0.0) -> float:
    return sum(price * (1 - discount) for price in prices)
"""
"""What people write to a model, more or less: it shows how many characters a token stands for."""

CHUNK_SIZE = 512
"""Prompt positions computed at once: E2B's and E4B's window, so that a chunk scores few keys it may not see."""


class _Stopped(Exception):
    """The caller asked to stop."""


def never() -> bool:
    """The default answer to "is it cancelled?"."""
    return False


@dataclass(frozen=True)
class CheckedModel:
    """A model folder in which everything was found in order; of its weights only the headers were read."""

    folder: Path
    files: CheckedFiles
    tokenizer: Tokenizer
    advice: GenerationAdvice


class Engine:
    """A loaded model and what it remembers of the conversation."""

    def __init__(
        self,
        model: Gemma4,
        tokenizer: Tokenizer,
        info: ModelInfo,
        advice: GenerationAdvice,
        max_state_bytes: int | None = None,
    ) -> None:
        """max_state_bytes: for what is remembered of conversations; by default a share of the memory that is left."""
        self.info = info
        self._model = model
        self._tokenizer = tokenizer
        stop_ids = {*STOP_TOKEN_IDS, *model.config.stop_token_ids, *advice.stop_token_ids}
        self._stop_ids = stop_ids.intersection(range(model.config.text.vocab_size))
        self._sampling = advice.sampling
        suppressed = [*model.config.token_ids.media, *advice.suppressed_token_ids]
        self._suppress = suppression(model.config.text.vocab_size, suppressed)
        self._suppress_calls = suppression(model.config.text.vocab_size, [*suppressed, Special.BEGIN_TOOL_CALL])
        self._grammars = Grammars(tokenizer, model.config.text.vocab_size)
        state_bytes = default_state_bytes(info.size_bytes) if max_state_bytes is None else max_state_bytes
        self.sessions = Sessions(model.config.text, model.dtype, state_bytes)
        self._step = make_decode_step(model, compiled=compiles_whole_steps())
        self._media = MediaEncoder(model)

    @classmethod
    def load(
        cls,
        checkpoint: Path | str,
        on_progress: Callable[[float], None] = lambda fraction: None,
        max_state_bytes: int | None = None,
    ) -> "Engine":
        """Load a model folder; raises CheckpointError. on_progress is called with fractions from 0 to 1."""
        return cls.load_checked(cls.check(checkpoint), on_progress, max_state_bytes)

    @staticmethod
    def check(checkpoint: Path | str) -> CheckedModel:
        """Look through a model folder without taking memory for it; raises CheckpointError."""
        folder = Path(checkpoint).expanduser()
        files = check_files(folder)
        tokenizer = Tokenizer(folder / "tokenizer.json")
        advice = read_advice(folder)
        _check_vocabularies(folder, tokenizer, advice, files.config)
        return CheckedModel(folder, files, tokenizer, advice)

    @classmethod
    def load_checked(
        cls,
        checked: CheckedModel,
        on_progress: Callable[[float], None] = lambda fraction: None,
        max_state_bytes: int | None = None,
    ) -> "Engine":
        """Load what was checked; raises CheckpointError for weights that cannot be read after all."""
        loaded = load_files(checked.files, on_progress)
        config, folder = loaded.config, checked.folder
        info = ModelInfo(
            name=folder.resolve().name,
            path=str(folder.resolve()),
            size=_size(config.text),
            is_sample=folder.resolve() == sample_checkpoint().resolve(),
            modalities=modalities(config),
            context_length=config.text.max_position_embeddings,
            num_parameters=loaded.num_parameters,
            size_bytes=loaded.size_bytes,
            quantization=loaded.quantization,
            compute_dtype=str(compute_dtype()).removeprefix("mlx.core."),
            backend=backend_name(),
            characters_per_token=len(USUAL_TEXT) / len(checked.tokenizer.encode(USUAL_TEXT)),
        )
        return cls(loaded.model, checked.tokenizer, info, checked.advice, max_state_bytes)

    def respond(
        self,
        messages: Sequence[Message],
        options: Options = Options(),
        cancelled: Callable[[], bool] = never,
        *,
        answer_now: Callable[[], bool] = never,
    ) -> Iterator[Event]:
        """Answer a conversation with one turn of the model; the last event is Finished.

        A turn that calls tools ends with the reason "tool_calls": `engine.agent.loop.respond` runs them and goes on.
        answer_now: asked before and at each token. Once true, the thoughts of this turn are closed.
        Raises AttachmentError, PromptError or ContextFull before anything is computed. `cancelled` is asked between
        the layers of a picture, between prefill chunks and between tokens.
        """
        run = _Run()
        mx.reset_peak_memory()
        try:
            reason = yield from self._respond(messages, options, run, cancelled, answer_now)
            yield run.finished(reason)
        except _Stopped:
            yield run.finished("cancelled")

    def prepare(
        self, messages: Sequence[Message], options: Options = Options(), cancelled: Callable[[], bool] = never
    ) -> Prompt:
        """Messages to a prompt: token ids, spans and the media that fill them."""
        if not messages:
            raise PromptError("There is no message to answer.")
        check_tools_differ(options.tools)
        parts = [part for message in messages for part in message.media]
        self._media.check(parts)
        media = [self._media.read(part, lambda: _stop_if(cancelled)) for part in parts]
        config = self._model.config
        if options.own_template:
            source = read_own_template(Path(self.info.path))
            rendered = render_own(
                messages,
                source,
                self._tokenizer,
                thinking=options.thinking,
                tools=options.tools,
                continues=options.continues,
            )
        else:
            rendered = render(
                messages,
                thinking=options.thinking,
                compact=config.is_small,
                tools=options.tools,
                continues=options.continues,
            )
        prompt = build_prompt(rendered, media, self._tokenizer, config.token_ids)
        if len(prompt) >= self._context_length(options):
            raise ContextFull(len(prompt), self._context_length(options))
        return prompt

    def _context_length(self, options: Options) -> int:
        return min(options.context_limit or self.info.context_length, self.info.context_length)

    def logits(self, prompt: Prompt) -> mx.array:
        """Float32 logits [L, V] at every position, computed cold."""
        self._media.encode(prompt.media)
        return all_logits(self._model, prompt, self._media.features, self.cold_session().kv)

    def greedy(self, prompt: Prompt, max_new_tokens: int) -> list[int]:
        """The most likely continuation, computed cold, through stop tokens if need be."""
        return list(islice(self.tokens(prompt), max_new_tokens))

    def tokens(self, prompt: Prompt) -> Iterator[int]:
        """The most likely tokens one by one, computed cold, for as long as the caller reads."""
        return self._decode_cold(prompt, Sampler(GREEDY, self._suppress))

    def tokens_in_form(self, prompt: Prompt, form: AnswerFormat) -> Iterator[int]:
        """The same in a form, one whole answer after the other; raises PromptError for one that cannot be kept."""
        start, sampler = self._grammars.for_answer(form), Sampler(GREEDY, self._suppress)
        grammar = start.copy()

        def choose(logits: mx.array) -> mx.array:
            return sampler(logits, None, grammar.mask())

        for token in self._decode_cold(prompt, choose):
            if token == Special.END_TURN:
                grammar = start.copy()
            else:
                grammar.advance(token)
            yield token

    def parse(self, token_ids: Sequence[int], *, starts_in_thought: bool = False) -> Message:
        """What a model wrote, as a message."""
        return parse(token_ids, self._tokenizer, starts_in_thought=starts_in_thought)

    def _respond(
        self,
        messages: Sequence[Message],
        options: Options,
        run: "_Run",
        cancelled: Callable[[], bool],
        answer_now: Callable[[], bool],
    ) -> Generator[Event, None, FinishReason]:
        """One turn of the model; returns why it is over."""
        prompt = self.prepare(messages, options, cancelled)
        parser = ResponseParser(
            self._tokenizer,
            starts_in_thought=prompt.starts_in_thought,
            tools=options.tools if options.offers_tools else (),
            stop=options.stop,
            call_ids=free_call_ids(messages),
        )
        begun = self._tokenizer.encode(begun_text(messages[-1])) if options.continues else []
        turn = Turn(parser, options, self._grammars, stop_ids=self._stop_ids, answer_now=answer_now, begun=begun)
        suppress = self._suppress if options.offers_tools else self._suppress_calls
        sampler = Sampler(options.sampling.filled_from(self._sampling), suppress, prompt.token_ids)
        receipts = self._media.encode(prompt.media, lambda: _stop_if(cancelled))
        prompt = prompt.without_content()  # a minute of video is up to 2 GB of pixels
        session = self.sessions.take(prompt.keys(), [span.positions for span in prompt.spans])
        session.num_given = prompt.num_lasting
        run.begin(len(prompt), session.kv.length)
        try:
            yield _ready(prompt, session.kv.length, receipts)
            yield from self._write(prompt, session, turn, sampler, options, run, cancelled)
        except (_Stopped, EngineError, GeneratorExit):
            self.sessions.put(session)
            raise
        self.sessions.put(session)  # what broke off half-way is dropped: it has keys that belong to no position
        assert turn.reason is not None
        return turn.reason

    def _write(
        self,
        prompt: Prompt,
        session: Session,
        turn: Turn,
        sampler: Sampler,
        options: Options,
        run: "_Run",
        cancelled: Callable[[], bool],
    ) -> Iterator[Event]:
        logits = yield from self._fill_cache(prompt, session, run, cancelled)
        seen = logits

        def choose(logits: mx.array) -> mx.array:
            nonlocal seen
            seen = logits
            return sampler(logits, turn.forced, turn.allowed())

        yield from turn.begin()
        for token in decode(self._step, session, logits, choose, self._context_length(options)):
            run.count()
            yield from turn.take(token)
            if options.num_logprobs and turn.is_answering:
                yield self._logprobs(seen, token, options.num_logprobs)
            if turn.reason is None and cancelled():
                turn.reason = "cancelled"
            if turn.reason is not None:
                break
        turn.reason = turn.reason or "context_full"
        yield from turn.finish()

    def _fill_cache(
        self, prompt: Prompt, session: Session, run: "_Run", cancelled: Callable[[], bool]
    ) -> Generator[Event, None, mx.array]:
        """Prefill with progress; returns the logits [V] of the last position."""
        began = time.perf_counter()
        logits = mx.array(0)
        for done, last in prefill(self._model, prompt, self._media.features, session, CHUNK_SIZE):
            yield PrefillProgress(done, len(prompt))
            logits = last if last is not None else logits
            _stop_if(cancelled)
        run.prefill_s += time.perf_counter() - began
        return logits

    def _logprobs(self, logits: mx.array, token: int, count: int) -> Logprobs:
        found = log_probabilities(logits, mx.array([token]), count)

        def describe(ids: list[int], values: list[float]) -> tuple[Logprob, ...]:
            return tuple(Logprob(i, self._tokenizer.decode([i]), x) for i, x in zip(ids, values, strict=True))

        (chosen,) = describe([token], cast(list[float], found.chosen.tolist()))
        return Logprobs(
            chosen, describe(cast(list[int], found.top_ids.tolist()), cast(list[float], found.top.tolist()))
        )

    def _decode_cold(self, prompt: Prompt, choose: Choose) -> Iterator[int]:
        self._media.encode(prompt.media)
        session = self.cold_session()
        logits = mx.array(0)
        for _, last in prefill(self._model, prompt, self._media.features, session, CHUNK_SIZE):
            logits = last if last is not None else logits
        yield from decode(self._step, session, logits, choose, self.info.context_length)

    def cold_session(self) -> Session:
        """A state that holds nothing."""
        return Session(KVCache(self._model.config.text, self._model.dtype))


class _Run:
    """What one answer has cost so far."""

    def __init__(self) -> None:
        self.num_prompt = self.num_cached = self.num_new = 0
        self.prefill_s = 0.0
        self._started = time.perf_counter()
        self._first_token = self._last_token = 0.0

    def begin(self, num_prompt: int, num_cached: int) -> None:
        """The prompt is built, and so much of it is known."""
        self.num_prompt, self.num_cached = num_prompt, num_cached

    def count(self) -> None:
        """One more token was read. What passes before the first one is no decoding."""
        self._last_token = time.perf_counter()
        self._first_token = self._first_token or self._last_token
        self.num_new += 1

    def finished(self, reason: FinishReason) -> Finished:
        """The closing event."""
        num_prefilled, decode_s = self.num_prompt - self.num_cached, self._last_token - self._first_token
        stats = Stats(
            num_prompt_tokens=self.num_prompt,
            num_cached_tokens=self.num_cached,
            num_new_tokens=self.num_new,
            time_to_first_token_ms=max(0.0, self._first_token - self._started) * 1000,
            prefill_tokens_per_second=num_prefilled / self.prefill_s if self.prefill_s else 0.0,
            decode_tokens_per_second=(self.num_new - 1) / decode_s if decode_s else 0.0,
            peak_memory_bytes=mx.get_peak_memory(),
        )
        return Finished(reason, stats)


def _ready(prompt: Prompt, num_cached_tokens: int, receipts: Sequence[Receipt]) -> PromptReady:
    return PromptReady(
        len(prompt),
        num_cached_tokens,
        pictures=tuple(receipt for receipt in receipts if isinstance(receipt, PictureReceipt)),
        sounds=tuple(receipt for receipt in receipts if isinstance(receipt, SoundReceipt)),
        videos=tuple(receipt for receipt in receipts if isinstance(receipt, VideoReceipt)),
        num_characters=prompt.num_characters,
        num_text_tokens=prompt.num_text_tokens,
    )


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise _Stopped


def _check_vocabularies(folder: Path, tokenizer: Tokenizer, advice: GenerationAdvice, config: ModelConfig) -> None:
    """Every id that the files can bring must have a row in the embeddings, and media ids must mean media."""
    size = config.text.vocab_size
    if tokenizer.vocab_size > size:
        raise CheckpointError(f"{folder}: tokenizer.json has {tokenizer.vocab_size} tokens, the model only {size}.")
    if tokenizer.largest_id >= size:
        raise CheckpointError(
            f"{folder}: tokenizer.json names token {tokenizer.largest_id}, the model has only {size}."
        )
    outside = [token for token in advice.suppressed_token_ids if not 0 <= token < size]
    if outside:
        raise CheckpointError(f"{folder}: generation_config.json names token {outside[0]}, the model has only {size}.")
    if tokenizer.id_of("<|image|>") != config.token_ids.image:
        raise CheckpointError(f"{folder}: tokenizer.json and config.json do not agree on the token for pictures.")


def _size(text: TextConfig) -> str:
    """The family member with these shapes."""
    sizes = {(1536, 35): "E2B", (2560, 42): "E4B", (3840, 48): "12B", (2816, 30): "26B-A4B", (5376, 60): "31B"}
    return sizes.get((text.hidden_size, len(text.layers)), "custom")
