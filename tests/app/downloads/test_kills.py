"""Fifty downloads that are killed at random, some several times, end with the right bytes."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from tests.app.downloads.conftest import REPO
from tests.app.downloads.stand_in import Fault, StandIn

PROGRAM = Path(__file__).with_name("killed.py")
NUM_RUNS = 50
NEVER = 1 << 30


class Downloader:
    """The program that downloads; one process at a time."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.child = 0
        self._bytes_left = NEVER
        self._program = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        stand_in.on_bytes = self._count

    def run(self, folder: Path, *, is_plain: bool, dies_at: int = NEVER, dies_after_bytes: int = NEVER) -> int:
        """Let a process download; its exit status."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._bytes_left = dies_after_bytes
        wish = {"address": self.stand_in.address, "repo": REPO, "folder": str(folder), "is_plain": is_plain}
        self._program.stdin.write(json.dumps(wish | {"dies_at": dies_at}) + "\n")
        self._program.stdin.flush()
        self.child = int(self._program.stdout.readline())
        return int(self._program.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._program.communicate()

    def _count(self, num_bytes: int) -> None:
        self._bytes_left -= num_bytes
        if self._bytes_left < 0 and self.child:
            self._bytes_left = NEVER
            with suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)


@pytest.fixture
def downloader(stand_in: StandIn) -> Iterator[Downloader]:
    """Ready to be killed."""
    downloader = Downloader(stand_in)
    yield downloader
    downloader.close()


@pytest.mark.tour
def test_fifty_downloads_that_are_killed_at_random_end_with_the_right_bytes(
    downloader: Downloader, stand_in: StandIn, repository: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    chance = random.Random(2026)
    needed = {name for name in files if name.endswith((".safetensors", ".json", ".jinja")) and "/" not in name}
    total = sum(len(files[name]) for name in needed)
    num_killed = 0
    for run in range(NUM_RUNS):
        folder, is_plain = tmp_path / str(run) / "model", run % 2 == 1
        for _ in range(chance.randint(1, 3)):
            by_bytes = chance.random() < 0.5
            status = downloader.run(
                folder,
                is_plain=is_plain,
                dies_at=NEVER if by_bytes else chance.randint(1, 60),
                dies_after_bytes=chance.randrange(total) if by_bytes else NEVER,
            )
            assert status in (0, -signal.SIGKILL)
            num_killed += status != 0
        stand_in.faults.extend(chance.sample([Fault(), Fault(), Fault(corrupt=True), Fault(cut_after=9)], 2))
        assert downloader.run(folder, is_plain=is_plain) == 0
        stand_in.faults.clear()
        if not is_plain:
            folder = Path(snapshot_download(REPO, cache_dir=folder, local_files_only=True))
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: files[name] for name in needed}
        left = [
            path for path in (tmp_path / str(run)).rglob("*") if path.name.endswith((".part", "unfinished", ".new"))
        ]
        assert left == []
    assert num_killed >= NUM_RUNS
