"""A download on real disks that are full, or read-only, in the middle."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.app.downloads.conftest import REPO
from tests.app.downloads.stand_in import StandIn
from tests.app.test_full_disk import ALONE, needs_mounts

PROGRAM = Path(__file__).with_name("killed.py")

TOUR = """
mount -t tmpfs -o size=256k tmpfs $1
bring() { echo "$2" | $3 2>&1 | grep -v '^[0-9-]*$'; echo then; }
bring "$@"
mount -o remount,ro $1
bring "$@"
mount -o remount,rw,size=4m $1
bring "$@"
find $1 -name 'model*.safetensors' | wc -l
find $1 -name '*.part' | wc -l
"""


@needs_mounts
def test_a_disk_that_is_full_then_read_only_then_large_gets_its_model(
    stand_in: StandIn, repository: str, tmp_path: Path
) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    wish = {
        "address": stand_in.address, "repo": REPO, "folder": str(place / "hub"), "is_plain": False, "dies_at": 1 << 30,
        "hopes": True,
    }  # fmt: skip
    command = [*ALONE, "sh", "-c", TOUR, "sh", str(place), json.dumps(wish), f"{sys.executable} {PROGRAM}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=280, env=os.environ)
    full, read_only, right, rest = (part.strip() for part in done.stdout.split("then\n"))
    assert full == f"There is no room left on the disk of “{place}/hub”. Make room and go on; what is there is kept."
    assert read_only == f"“{place}/hub” cannot be written. Allow it in Finder, or choose another folder."
    assert right == ""
    assert rest.split() == ["2", "0"]
