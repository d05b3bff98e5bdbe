"""A process that is killed at any moment loses nothing that was written."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, loaded, names

NUM_KILLS = 20

WRITER = """
import itertools, os, pathlib, sys
from app.store import Draft, Store, Turn
from engine import Picture, user

def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # whole lines only

def write(folder, original, run):
    store = Store(folder, lambda sentence: tell("said", sentence))
    store.summaries().result()
    tell("ready", os.getpid())
    for number in itertools.count():
        turn = f"{run}-{number}"
        original.write_text(f"file of {turn}")
        picture = Picture(str(store.keep_file(original)))
        store.add_turn(run, Turn(turn, None, user("", picture), state="running")).result()
        tell("text", turn, 0)
        for length in (100, 200, 300):
            store.update_turn(Turn(turn, None, user("x" * length, picture), state="running")).result()
            tell("text", turn, length)
        store.save_draft(None, Draft(turn)).result()
        tell("draft", turn)

for line in sys.stdin:
    child = os.fork()  # so that the imports happen once
    if child == 0:
        write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), line.strip())
    os.waitpid(child, 0)
    tell("gone")
"""


def write_until_killed(orders: IO[str], told: IO[str], run: str, num_told: int, seconds: float) -> list[list[str]]:
    """Start a writer, kill it so long after it has told of so many writes, and return what it had told by then."""
    orders.write(f"{run}\n")
    orders.flush()
    state, process_id = told.readline().split()
    assert state == "ready"
    lines = [told.readline().split() for _ in range(num_told)]
    killer = threading.Timer(seconds, os.kill, (int(process_id), signal.SIGKILL))
    killer.start()
    lines += [line.split() for line in iter(told.readline, "gone\n")]
    killer.join()
    return lines


def test_every_acknowledged_write_survives_a_kill(
    open_store: OpenStore, folder: Path, tmp_path: Path, said: list[str]
) -> None:
    chance = random.Random(4)
    command = [sys.executable, "-c", WRITER, str(folder), str(tmp_path / "original")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        lines = [
            line
            for run in range(NUM_KILLS)
            for line in write_until_killed(
                writers.stdin, writers.stdout, f"run{run}", chance.randint(5, 20), chance.random() / 50
            )
        ]
        writers.stdin.close()
    lengths = {turn: int(length[0]) for kind, turn, *length in lines if kind == "text"}
    drafts = [turn for kind, turn, *_ in lines if kind == "draft"]
    assert {kind for kind, *_ in lines} == {"text", "draft"}
    assert len(lengths) >= NUM_KILLS

    store = open_store()
    turns = {turn.id: turn for name in names(store) for turn in loaded(store, name).turns}
    for turn_id, length in lengths.items():
        turn = turns[turn_id]
        assert len(turn.message.text) >= length
        assert turn.state == "interrupted"
        assert Path(turn.message.pictures[0].path).read_text() == f"file of {turn_id}"
    draft = store.draft().result(WAIT_S)
    assert draft is not None
    assert said == []
    assert _order(draft.text) >= _order(drafts[-1])


def _order(turn_id: str) -> tuple[int, int]:
    run, number = turn_id.removeprefix("run").split("-")
    return int(run), int(number)
