"""A queue whose app or engine is killed at any moment goes on at the page: nothing is doubled, nothing is lost."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.store import Store
from tests.app.reading.queue_tour import FORMS
from tests.fake_documents import Pretence, pretend

NUM_KILLS = 20
NUM_KILLS_WRITING = 6
NUM_PAGES = 10
TOUR = Path(__file__).with_name("queue_tour.py")


def run(
    folder: Path, documents: Sequence[Path] = (), *, kill_at: str = "", delay: float = 0.0, is_engine: bool = False
) -> list[str]:
    """Run the queue until it is over, or is killed so many seconds after it told something; what it told.

    Where its engine is killed, the app follows as long after the next thing that it tells.
    """
    command = [sys.executable, str(TOUR), str(folder), *map(str, documents)]
    told = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as child:
        assert child.stdout is not None
        killers: list[threading.Timer] = []
        for line in child.stdout:
            told.append(line.strip())
            if kill_at and (line.startswith(kill_at) or killers) and len(killers) <= is_engine:
                killers.append(threading.Timer(delay, kill, (child.pid, is_engine and not killers)))
                killers[-1].start()
        for killer in killers:
            killer.cancel()
            killer.join()
    return told


def kill(app: int, is_engine: bool) -> None:
    """Kill the app, or its engine, which is its one child of that name."""
    if not is_engine:
        os.kill(app, signal.SIGKILL)
        return
    found = subprocess.run(["pgrep", "-P", str(app), "-f", "fake_engine"], capture_output=True, text=True, check=False)
    for engine in found.stdout.split():
        os.kill(int(engine), signal.SIGKILL)


@pytest.mark.tour
def test_a_queue_that_is_killed_at_any_moment_doubles_and_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    pretence = Pretence(("picture",) * NUM_PAGES, seconds=0.1)
    documents = [pretend(tmp_path / f"{name}.pdf", pretence) for name in ("first", "second")]
    told = run(tmp_path, documents, kill_at="page")
    for number in range(1, NUM_KILLS):
        at, longest = ("page", 0.1) if number % 2 else ("ready", 1.5)
        told += run(tmp_path, kill_at=at, delay=chance.uniform(0, longest), is_engine=number % 4 == 3)
    for _ in range(NUM_KILLS_WRITING):
        told += run(tmp_path, kill_at="writing", delay=chance.uniform(0, 0.05))
    told += run(tmp_path)
    assert told[-1] == "over"
    assert "said" not in {line.split()[0] for line in told}
    num_read = sum(line.startswith("page") for line in told)
    assert num_read <= 2 * NUM_PAGES + NUM_KILLS, "no kill costs more than a page"
    written = sorted(path.name for path in tmp_path.iterdir() if path.is_file() and path.suffix != ".pdf")
    assert written == sorted(f"{name}.{form}" for name in ("first", "second") for form in FORMS)
    store = Store(tmp_path / "store", lambda _saying: None)
    kept = store.documents.all().result(60)
    assert [(each.state, len(each.pages)) for each in kept] == [("done", NUM_PAGES)] * 2
    for each in kept:
        assert [page.number for page in store.documents.pages(each.id).result(60)] == list(range(1, NUM_PAGES + 1))
    store.close()
    for name in ("first", "second"):
        text = (tmp_path / f"{name}.txt").read_text()
        assert text.count("\f") == NUM_PAGES - 1
        assert text.count("with pink eyes ran close by her.") == NUM_PAGES
