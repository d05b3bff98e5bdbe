"""Many conversations: each goes on where it was, whatever came in between, and all equal their cold runs."""

import functools
from collections.abc import Sequence
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from PIL import Image

from engine.cache.kv_cache import SLACK
from engine.cache.sessions import Session, Sessions
from engine.engine import Engine
from engine.generation.decode import decode, make_decode_step
from engine.generation.prefill import prefill
from engine.generation.sampling import Sampler, suppression
from engine.prompt.prompt import Prompt
from engine.protocol.messages import Message, Picture, Text, user
from engine.protocol.options import GREEDY
from engine.tokens.special_tokens import Special
from tests.cache.conftest import KINDS
from tests.tiny import WINDOW

LENGTHS = [WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 2 * WINDOW + 5]
PLENTY = 2**30
TURN = int(Special.BEGIN_TURN)


def ids(length: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(494, 590, length).tolist()


def new_sessions(engine: Engine, max_bytes: int = PLENTY) -> Sessions:
    return Sessions(engine._model.config.text, engine._model.dtype, max_bytes)


def last_logits(engine: Engine, prompt: Prompt) -> np.ndarray:
    return np.array(engine.logits(prompt))[-1]


@functools.cache  # many tests say the same
def cold_logits(engine: Engine, token_ids: tuple[int, ...]) -> np.ndarray:
    return last_logits(engine, Prompt(token_ids))


class Chat:
    """A conversation with one engine: what is asked and answered goes through states."""

    def __init__(self, engine: Engine, sessions: Sessions) -> None:
        self.engine, self.sessions = engine, sessions
        self.known = 0

    def ask(self, token_ids: Sequence[int], num_new: int = 0, chunk: int = 512) -> list[int]:
        """Prefill, compared with a cold run, then decode greedily."""
        return self.ask_prompt(Prompt(tuple(token_ids)), num_new, chunk)

    def ask_prompt(self, prompt: Prompt, num_new: int = 0, chunk: int = 512) -> list[int]:
        session = self.sessions.take(prompt.keys(), [span.positions for span in prompt.spans])
        self.known, session.num_given = session.kv.length, prompt.num_lasting
        self.engine._media.encode(prompt.media)
        *_, (_, logits) = prefill(self.engine._model, prompt, self.engine._media.features, session, chunk)
        assert logits is not None
        cold = cold_logits(self.engine, prompt.token_ids) if not prompt.spans else last_logits(self.engine, prompt)
        assert np.isfinite(cold).all()
        assert np.abs(np.array(logits) - cold).max() < 1e-4
        written = self.write(session, logits, num_new)
        self.sessions.put(session)
        return written

    def write(self, session: Session, logits: mx.array, count: int) -> list[int]:
        step = make_decode_step(self.engine._model, compiled=False)
        tokens = decode(step, session, logits, Sampler(GREEDY, suppression(logits.shape[0], [])), 4096)
        return [next(tokens) for _ in range(count)]


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, loaded: dict[str, Engine]) -> Engine:
    return loaded[request.param]


@pytest.mark.parametrize(
    ("length", "num_new"),
    [(3, 3), (WINDOW - 1, 2), (WINDOW, 0), (WINDOW + 1, WINDOW), (2 * WINDOW, 2), (2 * WINDOW + 5, 2 * WINDOW)],
)
def test_a_repeated_prompt_computes_one_token(engine: Engine, length: int, num_new: int) -> None:
    chat, prompt = Chat(engine, new_sessions(engine)), [2, *ids(length - 1)]
    first = chat.ask(prompt, num_new)
    chat.ask([2, *ids(40, seed=9)])
    assert chat.ask(prompt, num_new) == first
    assert chat.known == length - 1


@pytest.mark.parametrize("num_passing", [4, 20])
def test_a_repeated_prompt_with_an_open_thought_computes_few_tokens(engine: Engine, num_passing: int) -> None:
    chat = Chat(engine, new_sessions(engine))
    prompt = Prompt((2, *ids(3 * WINDOW)), num_passing=num_passing)
    chat.ask_prompt(prompt, WINDOW + 1)
    chat.ask_prompt(prompt)
    assert chat.known == len(prompt) - 1
    chat.ask([*prompt.token_ids[: prompt.num_lasting], *ids(30, seed=3)])
    assert chat.known == prompt.num_lasting


@pytest.mark.parametrize("length", LENGTHS)
def test_a_conversation_goes_on_after_many_others(engine: Engine, length: int) -> None:
    chat, said = Chat(engine, new_sessions(engine)), [2, *ids(length - 1)]
    said += chat.ask(said, 7)
    for turn in range(2):
        for seed in range(1, 3):
            chat.ask([2, *ids(40, seed=seed)])
        asked = [*said, *ids(5, seed=20 + turn)]
        answer = chat.ask(asked, WINDOW // 2)
        assert chat.known == len(said)
        said = [*asked, *answer]


def test_a_thought_that_is_stripped_leaves_the_prompt_as_what_is_known(engine: Engine) -> None:
    chat, prompt = Chat(engine, new_sessions(engine)), [2, *ids(50)]
    answer = chat.ask(prompt, 40)
    chat.ask([*prompt, *answer[20:], *ids(5, seed=3)])
    assert chat.known == len(prompt)


@pytest.mark.parametrize("length", [3 * WINDOW])
def test_an_edited_last_message_computes_just_that(engine: Engine, length: int) -> None:
    chat, before = Chat(engine, new_sessions(engine)), [2, TURN, *ids(length), TURN, 540]
    before += chat.ask(before, WINDOW)
    asked = [*before, TURN, *ids(2 * WINDOW, seed=1), TURN, 540]
    chat.ask(asked, 2 * WINDOW)
    chat.ask([*before, TURN, *ids(4, seed=2), TURN, 540], 2 * WINDOW)
    assert chat.known == len(before)
    chat.ask([*asked, *ids(1, seed=4)])
    assert chat.known == len(asked)  # the message that was edited is there as well


def test_two_conversations_share_what_they_begin_with(engine: Engine) -> None:
    chat = Chat(engine, new_sessions(engine))
    system = [2, TURN, *ids(3 * WINDOW)]
    chat.ask([*system, TURN, *ids(40, seed=1)], 20)
    chat.ask([*system, TURN, *ids(40, seed=2)], 20)
    assert chat.known == len(system)


def test_where_two_conversations_part_the_third_goes_on(engine: Engine) -> None:
    """No turn ends there: the second one is the first to show that they share so much."""
    chat, shared = Chat(engine, new_sessions(engine)), [2, *ids(5 * WINDOW)]
    for seed in range(1, 4):
        chat.ask([*shared, *ids(3 * WINDOW, seed=seed)], 20, chunk=WINDOW)
    assert chat.known == len(shared)


@pytest.mark.parametrize("stop_after", [3])
def test_what_a_stopped_prefill_has_done_is_kept(engine: Engine, stop_after: int) -> None:
    chat, prompt = Chat(engine, new_sessions(engine)), Prompt((2, *ids(5 * WINDOW)))
    session = chat.sessions.take(prompt.keys())
    running = prefill(engine._model, prompt, {}, session, WINDOW)
    for _ in range(stop_after):
        next(running)
    running.close()
    chat.sessions.put(session)
    chat.ask([2, *ids(30, seed=4)])
    chat.ask_prompt(prompt)
    assert chat.known == stop_after * WINDOW


def test_an_error_costs_no_state_but_the_one_that_was_written(engine: Engine) -> None:
    chat, said, other = Chat(engine, new_sessions(engine)), [2, *ids(WINDOW)], [2, *ids(40, seed=5)]
    said += chat.ask(said, 3)
    other += chat.ask(other, 3)
    prompt = Prompt((*said, *ids(4, seed=6)))
    session = chat.sessions.take(prompt.keys())
    assert session.kv.length == len(said)
    next(prefill(engine._model, prompt, {}, session, 2))  # and there it fails: nobody puts the state back
    chat.ask([*other, *ids(5)])
    assert chat.known == len(other)
    chat.ask(prompt.token_ids)
    assert chat.known == 1  # no more than <bos>


@pytest.mark.parametrize("kind", KINDS)
def test_beginnings_with_pictures_are_shared_and_never_end_inside_one(
    loaded: dict[str, Engine], tmp_path: Path, kind: str
) -> None:
    engine = loaded[kind]
    paths = []
    for index in range(3):
        paths.append(tmp_path / f"{index}.png")
        pixels = np.random.default_rng(index).integers(0, 256, (60, 150, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(paths[-1])
    chat = Chat(engine, new_sessions(engine))

    def ask(text: str, *shown: int) -> int:
        parts = [part for index in shown for part in (Text("Look"), Picture(str(paths[index]), 70))]
        prompt = engine.prepare([Message("user", (*parts, Text(text)))])
        chat.ask_prompt(prompt, 20)
        assert not any(span.start < chat.known < span.stop for span in prompt.spans)
        return chat.known

    assert ask("first question, quite long, about both of them", 0, 1) == 0
    both = ask("second question, quite long", 0, 1)
    third = ask("third question, quite long", 0, 1)
    assert both <= third
    assert third > len(engine.prepare([user("", Picture(str(paths[0]), 70))]))
    assert ask("third question, quite long", 0, 1) > third
    assert ask("third question, quite long", 0, 2) < third


def test_states_stay_within_their_bytes_and_the_one_used_longest_ago_goes(engine: Engine) -> None:
    chat = Chat(engine, new_sessions(engine))
    chat.ask([2, *ids(100)], 5)
    one = chat.sessions.size_bytes
    chat = Chat(engine, new_sessions(engine, 4 * one + one // 2))  # the one that is written counts as well
    chats = {seed: [2, *ids(100, seed=seed)] for seed in range(5)}
    for seed in (0, 1, 2, 0, 3, 4):
        chat.ask(chats[seed])
        assert chat.sessions.size_bytes <= 4 * one + one // 2
    chat.ask(chats[0])
    assert chat.known == 100
    chat.ask(chats[1])
    assert chat.known == 1  # no more than <bos>


def test_answers_that_nobody_goes_on_from_are_the_first_to_go(engine: Engine) -> None:
    chat = Chat(engine, new_sessions(engine))
    chat.ask([2, *ids(100)], 5)
    chat = Chat(engine, new_sessions(engine, 3 * chat.sessions.size_bytes))
    chat.ask([2, *ids(100)], 5)
    for seed in range(1, 9):
        prompt = Prompt((2, *ids(100, seed=seed)))
        session = chat.sessions.take(prompt.keys())
        session.is_once = True
        assert len([*prefill(engine._model, prompt, {}, session, 512)]) == 1
        chat.sessions.put(session)
    assert sum(state.is_once for state in chat.sessions._states) == 1
    chat.ask([2, *ids(100)])
    assert chat.known == 100


def test_a_state_too_large_for_the_budget_serves_its_own_answer(engine: Engine) -> None:
    chat, said = Chat(engine, new_sessions(engine, 10)), [2, *ids(100)]
    chat.ask([*said, *chat.ask(said, 5)])
    assert (chat.known, chat.sessions.size_bytes) == (0, 0)


def test_states_give_way_to_what_is_under_way(engine: Engine) -> None:
    chat = Chat(engine, new_sessions(engine))
    chat.ask([2, *ids(100)])
    one = chat.sessions.size_bytes
    chat = Chat(engine, new_sessions(engine, 4 * one + one // 2))
    for seed in range(4):
        chat.ask([2, *ids(100, seed=seed)])
    chat.sessions.make_room(2 * one)
    assert chat.sessions.size_bytes <= 2 * one + one // 2
    chat.ask([2, *ids(100, seed=3)])
    assert chat.known == 100, "the one used last stayed"
    chat.sessions.make_room(0)
    running = chat.sessions.take([2, *ids(100, seed=3)])
    for seed in range(5, 9):
        chat.ask([2, *ids(100, seed=seed)])
    assert running.kv.length
    assert chat.sessions.size_bytes <= 3 * one + one // 2, "what is taken counts, too"


def test_a_short_chat_beside_a_long_one_takes_little_memory(engine: Engine) -> None:
    chat = Chat(engine, new_sessions(engine))
    said = [2, *ids(50)]
    chat.ask([*said, *ids(1000, seed=1)])
    long = chat.sessions.size_bytes
    chat.ask([*said[:10], *ids(50, seed=2)], 3)
    assert chat.sessions.size_bytes < 1.4 * long


def test_a_long_chat_computes_only_what_is_new_and_keeps_few_snapshots(engine: Engine) -> None:
    chat, said = Chat(engine, new_sessions(engine)), [2, *ids(60)]
    for turn in range(6):
        answer = chat.ask([*said, TURN, *ids(30, seed=turn), TURN], 9)
        assert chat.known == (len(said) if turn else 0)
        said = [*said, TURN, *ids(30, seed=turn), TURN, *answer]
    assert len(chat.sessions.take(said).snapshots) <= 8
    assert SLACK <= WINDOW
