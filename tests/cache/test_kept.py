"""States on the disk: after a restart a conversation goes on as if nothing had been; nobody else finds anything."""

import errno
import os
import shutil
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cache import kept as kept_module
from engine.cache.kept import FILE
from engine.cache.sessions import Session
from engine.checkpoint import identity
from engine.checkpoint.identity import identity_of
from engine.checkpoint.loader import check_files
from engine.engine import Engine
from engine.files.whole_files import file_beside
from engine.models.gemma4 import whole
from engine.protocol.events import PictureReceipt, PromptReady
from engine.protocol.messages import Message, Picture, Text, user
from engine.protocol.options import GREEDY, Options
from engine.protocol.requests import Keeping
from tests.cache.conftest import KINDS

SHORT = Options(GREEDY, max_new_tokens=3)
PLENTY = 2**30
ROOM = 2**40


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, loaded: dict[str, Engine]) -> Iterator[Engine]:
    yield from begun(loaded[request.param])


@pytest.fixture
def one(loaded: dict[str, Engine]) -> Iterator[Engine]:
    yield from begun(loaded["E line"])


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return keeping_of(tmp_path, "one")


def keeping_of(folder: Path, name: str, max_bytes: int = PLENTY) -> Keeping:
    (folder / name).mkdir()
    return Keeping(str(folder / name), max_bytes)


def begun(engine: Engine) -> Iterator[Engine]:
    """Without anything from other tests, and with nothing under way afterwards."""
    restart(engine)
    yield engine
    engine.kept_states.close()


def restart(engine: Engine) -> None:
    """Everything is written, and nothing is in memory any more."""
    engine.kept_states.close()
    engine.sessions.shrink(0)
    engine._media._features.clear()
    engine._media._known.clear()


def ask(engine: Engine, messages: list[Message], keeping: Keeping | None = None) -> tuple[PromptReady, str]:
    """What is known of the prompt, and the answer."""
    events = list(engine.respond(messages, SHORT, keeping=keeping))
    (ready,) = [event for event in events if isinstance(event, PromptReady)]
    return ready, "".join(getattr(event, "text", "") for event in events)


def two_turns(engine: Engine, first: list[Message], keeping: Keeping | None) -> tuple[PromptReady, str]:
    """The second turn, after a restart between the two."""
    _, answer = ask(engine, first, keeping)
    restart(engine)
    return ask(engine, [*first, Message("assistant", (Text(answer),)), user("And then?")], keeping)


def read(engine: Engine, keeping: Keeping, keys: Sequence[int], max_bytes: int = ROOM) -> Session | None:
    """What the disk has of a prompt."""
    return whole(engine.kept_states.reading(Path(keeping.folder), keys, [], 0, max_bytes))


def changed(path: Path, at: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x55
    return bytes(content)


@pytest.mark.parametrize("words", [2, 60], ids=["short", "with wrapped rings"])
def test_after_a_restart_only_new_tokens_are_computed_and_all_is_as_cold(
    engine: Engine, keeping: Keeping, words: int
) -> None:
    first = [user("word " * words)]
    cold, answer = two_turns(engine, first, None)
    restart(engine)
    warm, from_disk = two_turns(engine, first, keeping)
    assert (cold.num_cached_tokens, cold.num_tokens) == (0, warm.num_tokens)
    assert warm.num_cached_tokens >= len(engine.prepare(first)) - 4
    assert from_disk == answer


def test_what_comes_from_the_disk_is_what_was_written_bit_for_bit(engine: Engine, keeping: Keeping) -> None:
    ask(engine, [user("word " * 60)], keeping)
    (before,) = engine.sessions._states
    restart(engine)
    keys = before.keys
    after = read(engine, keeping, [*keys, 7])
    assert after is not None
    assert (after.keys, after.num_given, after.kv.length) == (keys, before.num_given, before.kv.length)
    for old, new in zip(before.kv.layers, after.kv.layers, strict=True):
        size = min(before.kv.length, old.limit or before.kv.length)
        for left, right in zip(old.buffers, new.buffers, strict=True):
            assert (np.array(left)[:, :, :size] == np.array(right)[:, :, :size]).all()
    assert after.snapshots
    for snapshot in after.snapshots:
        assert any(
            (snapshot.start, snapshot.stop) == (each.start, each.stop)
            and all((np.array(a) == np.array(b)).all() for a, b in zip(snapshot.arrays, each.arrays, strict=True))
            for each in before.snapshots
        )


def test_another_answer_to_the_same_turn_computes_a_token_after_a_restart(engine: Engine, keeping: Keeping) -> None:
    messages = [user("word " * 60)]
    _, answer = ask(engine, messages, keeping)
    restart(engine)
    again, same = ask(engine, messages, keeping)
    assert (again.num_tokens - again.num_cached_tokens <= 2, same) == (True, answer)


def test_a_picture_of_an_earlier_turn_is_not_encoded_after_a_restart(
    engine: Engine, keeping: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "noise.png"
    Image.effect_noise((90, 90), 80).save(path)
    first = [user("Read", Picture(str(path), 70))]
    _, answer = two_turns(engine, first, None)
    restart(engine)
    _, said = ask(engine, first, keeping)
    restart(engine)
    monkeypatch.setattr(engine._model, "image_steps", lambda *_: pytest.fail("the picture was encoded"))
    second = [*first, Message("assistant", (Text(said),)), user("And then?")]
    ready, from_disk = ask(engine, second, keeping)
    assert from_disk == answer
    assert isinstance(ready.pictures[0], PictureReceipt)


def test_another_picture_with_the_same_words_is_a_miss(one: Engine, keeping: Keeping, tmp_path: Path) -> None:
    for shade in (0, 255):
        Image.new("L", (90, 90), shade).save(tmp_path / f"{shade}.png")
    ask(one, [user("Read", Picture(str(tmp_path / "0.png"), 70))], keeping)
    restart(one)
    ready, _ = ask(one, [user("Read", Picture(str(tmp_path / "255.png"), 70))], keeping)
    assert ready.num_cached_tokens < 10


def test_a_real_restart_finds_it_and_other_weights_do_not(models: dict[str, Path], keeping: Keeping) -> None:
    messages = [user("word " * 60)]
    known = []
    for kind in ("E line", "E line", "dense"):
        engine = Engine.load(models[kind])
        known.append(ask(engine, messages, keeping)[0].num_cached_tokens)
        engine.kept_states.close()
    assert (known[0], known[1] > 40, known[2]) == (0, True, 0)


def test_weights_are_looked_at_only_for_a_state_that_is_kept(
    models: dict[str, Path], keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(config: bytes, files: object) -> str:
        looks.append(len(config))
        raise FileNotFoundError

    looks: list[int] = []
    monkeypatch.setattr(identity, "_identity", missing)
    engine = Engine.load(models["E line"])
    _, answer = ask(engine, [user("word " * 60)])
    assert not looks
    assert ask(engine, [user("word " * 60)], keeping)[1] == answer  # an answer is not at fault for its state
    engine.kept_states.close()
    assert looks
    assert not list(Path(keeping.folder).iterdir())


def test_weights_that_were_replaced_since_have_nobodys_identity(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models["E line"], folder)
    entries = [*check_files(folder).entries.values()]
    old = identity_of(folder, entries)
    weights = entries[0].file
    found, content = weights.stat(), bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000))
    new = identity_of(folder, entries)
    assert len({old(), new(), identity_of(models["E line"], check_files(models["E line"]).entries.values())()}) == 3
    assert identity_of(folder, entries)() == new()


@pytest.mark.parametrize("damage", ["a bit", "its end is missing", "it goes on", "empty", "its header is endless"])
def test_a_damaged_file_is_a_miss(one: Engine, keeping: Keeping, damage: str) -> None:
    messages = [user("word " * 60)]
    _, answer = ask(one, messages, keeping)
    restart(one)
    path, keys = Path(keeping.folder) / FILE, one.prepare(messages).keys()
    content = path.read_bytes()
    assert read(one, keeping, keys) is not None
    damaged = {
        "a bit": [changed(path, at) for at in range(0, len(content), len(content) // 40)],
        "its end is missing": [content[:-1], content[: len(content) // 2], content[:9]],
        "it goes on": [content + b"\0"],
        "empty": [b""],
        "its header is endless": [b"\xff" * 64],
    }[damage]
    for each in damaged:
        path.write_bytes(each)
        assert read(one, keeping, keys) is None
    ready, same = ask(one, messages, keeping)
    assert (ready.num_cached_tokens, same) == (0, answer)


def test_without_a_folder_nothing_is_written_and_none_is_made(one: Engine, tmp_path: Path) -> None:
    ask(one, [user("Hello")], Keeping(str(tmp_path / "gone"), PLENTY))
    ask(one, [user("Hello")])
    one.kept_states.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_while_a_state_is_written_stays_gone(
    one: Engine, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, deleted, write = threading.Event(), threading.Event(), kept_module._write

    def held(path: Path, state: kept_module._Written) -> None:
        begun.set()
        deleted.wait()
        write(path, state)

    monkeypatch.setattr(kept_module, "_write", held)
    ask(one, [user("Hello")], keeping)
    begun.wait()
    Path(keeping.folder).rmdir()
    deleted.set()
    one.kept_states.close()
    assert not Path(keeping.folder).exists()


def test_what_is_written_is_the_state_as_it_was_however_the_conversation_goes_on(
    one: Engine, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gone_on, write = threading.Event(), threading.Event(), kept_module._write

    def held(path: Path, state: kept_module._Written) -> None:
        begun.set()
        gone_on.wait()
        write(path, state)

    first = [user("word " * 60)]
    cold, answer = two_turns(one, first, None)
    restart(one)
    monkeypatch.setattr(kept_module, "_write", held)
    _, said = ask(one, first, keeping)
    begun.wait()
    other = [*first, Message("assistant", (Text(said),)), user("Something else, and more of it.")]
    ask(one, other)
    gone_on.set()
    restart(one)
    ready, from_disk = ask(one, [*other[:-1], user("And then?")], keeping)
    assert (ready.num_tokens, from_disk) == (cold.num_tokens, answer)
    assert ready.num_cached_tokens > 40
    one.kept_states.close()


def test_a_full_disk_leaves_the_state_before_and_nothing_else(
    one: Engine, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(one, [user("Hello")], keeping)
    one.kept_states.close()
    path = Path(keeping.folder) / FILE
    before, check, left = path.read_bytes(), zlib.crc32, [10]

    def full(content: bytes) -> int:
        left[0] -= threading.current_thread().name == "states"
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return check(content)

    monkeypatch.setattr(kept_module.zlib, "crc32", full)
    ask(one, [user("Something else entirely")], keeping)
    one.kept_states.close()
    assert left[0] < 0
    assert [each.name for each in path.parent.iterdir()] == [FILE]
    assert path.read_bytes() == before


def test_what_a_killed_engine_left_goes_with_the_next_state_of_any_conversation(one: Engine, tmp_path: Path) -> None:
    kept, other = keeping_of(tmp_path, "one"), keeping_of(tmp_path, "other")
    (Path(other.folder) / ".0123456789abcdef.fedcba.new").write_bytes(b"half a state")
    with file_beside(Path(other.folder) / FILE) as held:
        ask(one, [user("Hello")], kept)
        one.kept_states.close()
        assert list(Path(other.folder).iterdir()) == [held]


@pytest.mark.parametrize("error", [MemoryError, ValueError])
def test_a_state_that_cannot_be_written_keeps_no_later_one_from_the_disk(
    one: Engine, keeping: Keeping, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(kept_module, "_write", lambda *_: (_ for _ in ()).throw(error("no")))
        ask(one, [user("Hello")], keeping)
        one.kept_states.close()
    ask(one, [user("Hello")], keeping)
    one.kept_states.close()
    assert (Path(keeping.folder) / FILE).exists()


def test_what_was_used_longest_ago_goes_first(one: Engine, tmp_path: Path) -> None:
    ask(one, [user("word")], keeping_of(tmp_path, "size"))
    one.kept_states.close()
    size = (tmp_path / "size" / FILE).stat().st_size
    (tmp_path / "size" / FILE).unlink()
    room = int(4.5 * size)
    kept = {name: keeping_of(tmp_path, name, room) for name in "abcde"}
    for name in "abcd":
        ask(one, [user("word")], kept[name])
        restart(one)
    for time, name in enumerate("bcda"):  # a was read last
        os.utime(tmp_path / name / FILE, (time, time))
    ask(one, [user("word")], kept["e"])
    one.kept_states.close()
    assert [name for name in "abcde" if (tmp_path / name / FILE).exists()] == ["a", "c", "d", "e"]


def test_a_state_is_used_when_it_is_read(one: Engine, keeping: Keeping) -> None:

    path = Path(keeping.folder) / FILE
    ask(one, [user("word " * 60)], keeping)
    restart(one)
    os.utime(path, (1, 1))
    ask(one, [user("word " * 60)], Keeping(keeping.folder, 1))
    assert path.stat().st_mtime > 1


def test_a_state_that_finds_no_room_in_memory_is_not_read(one: Engine, keeping: Keeping) -> None:
    ask(one, [user("word " * 60)], keeping)
    restart(one)
    keys = one.prepare([user("word " * 60)]).keys()
    assert (read(one, keeping, keys, 1000) is None, read(one, keeping, keys) is None) == (True, False)
