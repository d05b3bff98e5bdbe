"""The whole way from messages to events, on one page.

    messages -> media -> prompt -> what is known already -> prefill -> decode -> events

Everything here runs on the one thread that owns MLX.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

import mlx.core as mx
import msgspec
from mlx.utils import tree_flatten

from engine.backend import (
    backend_name,
    compiles_whole_steps,
    compute_dtype,
    default_state_bytes,
    limit_memory,
    this_machine,
)
from engine.cache.kept import KeptStates
from engine.cache.kv_cache import KVCache
from engine.cache.sessions import Session, Sessions
from engine.checkpoint.advice import GenerationAdvice, read_advice
from engine.checkpoint.drafter import find_drafter, load_drafter
from engine.checkpoint.fit import loaded_shapes, require_room
from engine.checkpoint.identity import identity_of
from engine.checkpoint.loader import CheckedFiles, check_files, load_files
from engine.checkpoint.shapes import size_of
from engine.checkpoint.traits import read_traits
from engine.generation.constraint import Grammars
from engine.generation.decode import (
    Choose,
    Decoding,
    SizesAhead,
    decode,
    decode_rows,
    make_ahead_step,
    make_decode_step,
)
from engine.generation.drafts import Drafts, Gains, ModelDrafts
from engine.generation.media_encoder import MediaEncoder, modalities
from engine.generation.prefill import Features, all_logits, prefill
from engine.generation.sampling import Sampler, log_probabilities, suppression
from engine.models.config import ModelConfig
from engine.models.drafter import Drafter
from engine.models.gemma4 import Gemma4, whole
from engine.prompt.builder import build_prompt
from engine.prompt.own_template import read_own_template, render_own
from engine.prompt.prompt import Prompt
from engine.prompt.template import begun_text, render
from engine.protocol.errors import CheckpointError, ContextFull, PromptError
from engine.protocol.events import (
    Event,
    Logprob,
    Logprobs,
    ModelInfo,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    Receipt,
    SoundReceipt,
    Traits,
    VideoReceipt,
)
from engine.protocol.messages import Message
from engine.protocol.models import Shapes, Use
from engine.protocol.options import GREEDY, AnswerFormat, Options
from engine.protocol.requests import Keeping
from engine.protocol.tools import check_tools_differ
from engine.response.parser import ResponseParser, free_call_ids, parse
from engine.runtime.answering import Answering, AnsweringRows, Begun, Costs, Preparing, Stopped
from engine.runtime.scheduler import Scheduler
from engine.runtime.turn import Turn
from engine.tokens.special_tokens import STOP_TOKEN_IDS, Special
from engine.tokens.tokenizer import Tokenizer

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

ROOM_FOR_ANSWER = 4096
"""Positions of an answer that memory must be there for before it begins, if it may be as long."""


DRAFT_LENGTHS = {"E2B": 2, "E4B": 4, "12B": 3, "26B-A4B": 4, "31B": 8, "custom": 3}
"""Tokens that the vendor recommends to draft at once; nothing is said for the 12B."""

_log = logging.getLogger(__name__)


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
    traits: Traits
    drafter: Path | None
    """The folder of a drafter that fits it."""

    def require_room(self) -> None:
        """Raise NotEnoughMemory for a model that this machine could not even ask a short question."""
        require_room(self.files.shapes, this_machine(), Use(context=CHUNK_SIZE, budget=0), "This model")


class Engine:
    """A loaded model and what it remembers of the conversation."""

    def __init__(
        self,
        model: Gemma4,
        tokenizer: Tokenizer,
        info: ModelInfo,
        advice: GenerationAdvice,
        max_state_bytes: int | None = None,
        drafter: Drafter | None = None,
        identity: Callable[[], str] = str,
    ) -> None:
        """max_state_bytes: for states of conversations, kept ones and those of answers under way; by default a share of
        the memory that the model leaves. identity: of the weights, which states on the disk must be of.
        """
        self.info = info
        self._machine = this_machine()
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
        self.kept_states = KeptStates(model.config.text, model.dtype, identity)
        compiled = compiles_whole_steps()
        self._step = make_decode_step(model, compiled=compiled)
        ahead_step = make_ahead_step(model, compiled=compiled)
        sizes = SizesAhead(self._step) if compiled else None
        self._trace_ahead = sizes.trace if sizes is not None else None
        rows = AnsweringRows(Decoding(self._step, ahead_step, sizes, in_powers=compiled), self.sessions)
        self._drafter = ModelDrafts(drafter, model, DRAFT_LENGTHS[info.size]) if drafter is not None else None
        self.gains = Gains()
        self._scheduler: Scheduler[Answering] = Scheduler(rows)
        self._media = MediaEncoder(model)

    @classmethod
    def load(
        cls,
        checkpoint: Path | str,
        on_progress: Callable[[float], None] = lambda fraction: None,
        max_state_bytes: int | None = None,
        *,
        keeps_table: bool | None = None,
    ) -> "Engine":
        """Load a model folder; raises CheckpointError and NotEnoughMemory. on_progress: fractions from 0 to 1.

        keeps_table: whether the per-layer table is in memory; by default where there is room for it.
        """
        checked = cls.check(checkpoint)
        checked.require_room()
        return cls.load_checked(checked, on_progress, max_state_bytes, keeps_table=keeps_table)

    @staticmethod
    def check(checkpoint: Path | str) -> CheckedModel:
        """Look through a model folder without taking memory for it; raises CheckpointError."""
        folder = Path(checkpoint).expanduser()
        files = check_files(folder)
        tokenizer = Tokenizer(folder / "tokenizer.json")
        advice = read_advice(folder)
        _check_vocabularies(folder, tokenizer, advice, files.config)
        drafter = find_drafter(folder.absolute(), files.config.text)
        return CheckedModel(folder, files, tokenizer, advice, read_traits(folder), drafter)

    @classmethod
    def load_checked(
        cls,
        checked: CheckedModel,
        on_progress: Callable[[float], None] = lambda fraction: None,
        max_state_bytes: int | None = None,
        *,
        keeps_table: bool | None = None,
    ) -> "Engine":
        """Load what was checked; raises CheckpointError for weights that cannot be read after all."""
        limit_memory()
        shapes = loaded_shapes(checked.files.shapes, this_machine(), keeps_table)
        loaded = load_files(checked.files, on_progress, keeps_table=shapes.text == checked.files.shapes.text)
        config, folder = loaded.config, checked.folder
        drafter = _drafter_of(checked)
        info = ModelInfo(
            name=folder.resolve().name,
            path=str(folder.resolve()),
            size=size_of(checked.files.shapes),
            modalities=modalities(config),
            context_length=config.text.max_position_embeddings,
            num_parameters=loaded.num_parameters,
            size_bytes=loaded.size_bytes,
            quantization=loaded.quantization,
            compute_dtype=str(compute_dtype()).removeprefix("mlx.core."),
            backend=backend_name(),
            characters_per_token=len(USUAL_TEXT) / len(checked.tokenizer.encode(USUAL_TEXT)),
            traits=checked.traits,
            has_drafter=drafter is not None,
            shapes=_with_drafter(shapes, drafter),
        )
        identity = identity_of(folder, checked.files.entries.values())
        return cls(loaded.model, checked.tokenizer, info, checked.advice, max_state_bytes, drafter, identity)

    def respond(
        self,
        messages: Sequence[Message],
        options: Options = Options(),
        cancelled: Callable[[], bool] = never,
        *,
        answer_now: Callable[[], bool] = never,
        is_once: bool = False,
        keeping: Keeping | None = None,
    ) -> Iterator[Event]:
        """Answer a conversation with one turn of the model; the last event is Finished.

        A turn that calls tools ends with the reason "tool_calls": `engine.agent.loop.respond` runs them and goes on.
        answer_now: asked before and at each token. Once true, the thoughts of this turn are closed.
        Raises AttachmentError, PromptError, ContextFull or NotEnoughMemory before anything is computed. `cancelled` is
        asked between the layers of a picture, between prefill chunks and between tokens. Answers that are read in
        turns, each a little, are computed together.
        """
        answering = self.start(messages, options, cancelled, answer_now=answer_now, is_once=is_once, keeping=keeping)
        try:
            while answering.events or answering.phase != "over":
                if not answering.events:
                    self.advance()
                while answering.events:
                    yield answering.events.popleft()
        finally:
            self.withdraw(answering)
        if answering.error is not None:
            raise answering.error

    def start(
        self,
        messages: Sequence[Message],
        options: Options = Options(),
        cancelled: Callable[[], bool] = never,
        *,
        answer_now: Callable[[], bool] = never,
        is_interactive: bool = True,
        is_once: bool = False,
        keeping: Keeping | None = None,
    ) -> Answering:
        """Begin an answer, beside those that run; `advance` works on all of them.

        is_interactive: somebody waits for it; what is not is served behind. is_once: nobody is going to go on from it,
        so its state is the first to be let go. keeping: where its state is on the disk, and is kept when it is over.
        """
        if self._scheduler.is_idle:
            mx.reset_peak_memory()
        costs = Costs()
        preparing = self._begin(messages, options, costs, cancelled, answer_now, is_once=is_once, keeping=keeping)
        put = partial(self._put, keeping=keeping)
        answering = Answering(preparing, costs, cancelled, put, is_interactive=is_interactive)
        self._scheduler.add(answering)
        return answering

    def advance(self) -> None:
        """One slice of one answer, or one token of all that write."""
        self._scheduler.advance()

    def withdraw(self, answering: Answering) -> None:
        """Forget an answer at once; for one that is over this does nothing."""
        self._scheduler.remove(answering)

    def close(self) -> None:
        """Wait until what is to outlive it is on the disk."""
        self.kept_states.close()

    def prepare(self, messages: Sequence[Message], options: Options = Options()) -> Prompt:
        """Messages to a prompt: token ids, spans and the media that fill them."""
        return whole(self._prepare(messages, options, never))

    def _prepare(
        self, messages: Sequence[Message], options: Options, cancelled: Callable[[], bool]
    ) -> Generator[None, None, Prompt]:
        """Yields between the files that are read."""
        if not messages:
            raise PromptError("There is no message to answer.")
        check_tools_differ(options.tools)
        parts = [part for message in messages for part in message.media]
        self._media.check(parts)
        media = []
        for part in parts:
            media.append(self._media.read(part, lambda: _stop_if(cancelled)))
            yield
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
        features = self._media.encode(prompt.media).features
        return all_logits(self._model, prompt, features, self.cold_session().kv)

    def features(self, prompt: Prompt) -> list[mx.array]:
        """Soft tokens [n, hidden] of each picture, frame and sound, in order."""
        features = self._media.encode(prompt.media).features
        return [features[span.media.key] for span in prompt.spans]

    def greedy(self, prompt: Prompt, max_new_tokens: int) -> list[int]:
        """The most likely continuation, computed cold, through stop tokens if need be."""
        return list(islice(self.tokens(prompt), max_new_tokens))

    def tokens(self, prompt: Prompt) -> Iterator[int]:
        """The most likely tokens one by one, computed cold, for as long as the caller reads."""
        return self._decode_cold(prompt, Sampler(GREEDY, self._suppress))

    def tokens_in_rows(self, prompts: Iterable[Prompt]) -> Iterator[list[int]]:
        """The same of several prompts, a token of each at once."""
        begun = map(self._fill_cold, prompts)
        return decode_rows(self._step, begun, Sampler(GREEDY, self._suppress), self.info.context_length)

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

    def _begin(
        self,
        messages: Sequence[Message],
        options: Options,
        costs: Costs,
        cancelled: Callable[[], bool],
        answer_now: Callable[[], bool],
        *,
        is_once: bool,
        keeping: Keeping | None,
    ) -> Preparing:
        """From messages to the logits of the first token."""
        prompt = yield from self._prepare(messages, options, cancelled)
        self._require_room(prompt, options)
        turn, sampler = self._turn(messages, prompt, options, answer_now)
        session = yield from self._take(prompt, keeping)
        session.num_given, session.is_once = prompt.num_lasting, is_once
        costs.begin(len(prompt), session.kv.length)
        try:
            needed = {span.media.key for span in prompt.spans if span.start >= session.kv.length}
            receipts, features = yield from self._media.encoding(prompt.media, lambda: _stop_if(cancelled), needed)
        except BaseException:
            self.sessions.put(session)  # as it was
            raise
        prompt = prompt.without_content()  # a minute of video is up to 2 GB of pixels
        try:
            yield _ready(prompt, session.kv.length, receipts)
            logits = yield from self._fill(prompt, features, session, costs)
        except GeneratorExit:
            self.sessions.put(session)
            raise
        drafts = Drafts(options.draft, self._model.config.text.vocab_size, self.gains, self._drafter)
        describe = partial(self._logprobs, options.num_logprobs) if options.num_logprobs else None
        return Begun(session, logits, turn, sampler, self._context_length(options), drafts, describe)

    def _take(self, prompt: Prompt, keeping: Keeping | None) -> Generator[None, None, Session]:
        """The state that holds most of a prompt, also from the disk; yields while one is read."""
        keys, blocks, sessions = prompt.keys(), [span.positions for span in prompt.spans], self.sessions
        if keeping is not None:
            known = sessions.known(keys, blocks)
            kept = yield from self.kept_states.reading(Path(keeping.folder), keys, blocks, known, sessions.max_bytes)
            if kept is not None:
                sessions.put(kept)
        return sessions.take(keys, blocks)

    def _put(self, session: Session, keeping: Keeping | None) -> None:
        """An answer is over: keep its state for the next one, on the disk too if that is wished."""
        self.sessions.put(session)
        if keeping is not None:
            self.kept_states.write(session, keeping)

    def _require_room(self, prompt: Prompt, options: Options) -> None:
        """Raise NotEnoughMemory before anything is computed; let states go that stand in the way."""
        if self.info.shapes is None:
            return
        num_new = min(options.max_new_tokens, ROOM_FOR_ANSWER)
        length = min(len(prompt) + num_new, self._context_length(options))
        seen = [len(span.positions) for span in prompt.spans if span.media.is_visual]
        hears = any(not span.media.is_visual for span in prompt.spans)
        use = Use(length, max(seen, default=0), hears)
        needed_bytes = require_room(self.info.shapes, self._machine, use, "This conversation")
        self.sessions.shrink(self._machine.working_set_bytes - needed_bytes)

    def _turn(
        self, messages: Sequence[Message], prompt: Prompt, options: Options, answer_now: Callable[[], bool]
    ) -> tuple[Turn, Sampler]:
        """What is heard of an answer and how its tokens are chosen."""
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
        return turn, Sampler(options.sampling.filled_from(self._sampling), suppress, prompt.token_ids)

    def _fill(
        self, prompt: Prompt, features: Features, session: Session, costs: Costs
    ) -> Generator[Event | None, None, mx.array]:
        """Prefill with progress, a chunk to a slice; returns the logits [V] of the last position."""
        chunks = prefill(self._model, prompt, features, session, CHUNK_SIZE, self._trace_ahead)
        while True:
            began = time.perf_counter()
            done, logits = next(chunks)
            costs.prefill_s += time.perf_counter() - began
            yield PrefillProgress(done, len(prompt))
            if logits is not None:
                return logits
            yield None

    def _logprobs(self, count: int, logits: mx.array, token: mx.array) -> Callable[[int], Logprobs]:
        found = log_probabilities(logits, token, count)
        mx.async_eval(*found)

        def describe(ids: list[int], values: mx.array) -> tuple[Logprob, ...]:
            known = zip(ids, cast(list[float], values.tolist()), strict=True)
            return tuple(Logprob(i, self._tokenizer.decode([i]), value) for i, value in known)

        def tell(token_id: int) -> Logprobs:
            (chosen,) = describe([token_id], found.chosen)
            return Logprobs(chosen, describe(cast(list[int], found.top_ids.tolist()), found.top))

        return tell

    def _decode_cold(self, prompt: Prompt, choose: Choose) -> Iterator[int]:
        yield from decode(self._step, *self._fill_cold(prompt), choose, self.info.context_length)

    def _fill_cold(self, prompt: Prompt) -> tuple[Session, mx.array]:
        """A state of its own with the prompt in it, and the logits [V] of the first token."""
        features, session = self._media.encode(prompt.media).features, self.cold_session()
        *_, (_, logits) = prefill(self._model, prompt, features, session, CHUNK_SIZE)
        assert logits is not None
        return session, logits

    def cold_session(self) -> Session:
        """A state that holds nothing."""
        return Session(KVCache(self._model.config.text, self._model.dtype))


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


def _with_drafter(shapes: Shapes, drafter: Drafter | None) -> Shapes:
    """The shapes with the weights of a drafter among them, which stay in memory as they are."""
    if drafter is None:
        return shapes
    parameters: list[tuple[str, mx.array]] = tree_flatten(drafter.parameters())  # type: ignore[assignment]
    num_bytes = sum(array.nbytes for _, array in parameters)
    text = msgspec.structs.replace(shapes.text, packed_bytes=shapes.text.packed_bytes + num_bytes)
    return msgspec.structs.replace(shapes, text=text)


def _drafter_of(checked: CheckedModel) -> Drafter | None:
    """A model does without one that is damaged."""
    if checked.drafter is None:
        return None
    try:
        return load_drafter(checked.drafter, checked.files.config.text)
    except CheckpointError as error:
        _log.warning("the drafter is not used: %s", error)
        return None


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Stopped


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
