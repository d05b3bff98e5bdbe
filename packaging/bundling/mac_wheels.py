"""Downloads and unpacks what `pip install cabochon` would bring to a Mac, on any machine.

python -m bundling.mac_wheels FOLDER
"""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["ON_A_MAC", "needed", "pinned", "requirements"]

ON_A_MAC = {
    "implementation_name": "cpython", "os_name": "posix", "platform_machine": "arm64",
    "platform_python_implementation": "CPython", "platform_system": "Darwin", "python_full_version": "3.12.0",
    "python_version": "3.12", "sys_platform": "darwin",
}  # fmt: skip
PLATFORMS = tuple(f"macosx_{version}_{kind}" for version in (14, 13, 12, 11) for kind in ("0_arm64", "0_universal2"))
OLD = tuple(f"macosx_10_{version}_universal2" for version in (13, 12, 11, 10, 9))

ROOT = Path(__file__).parents[2]


def pinned(constraints: str) -> dict[str, str]:
    """Versions by canonical name."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", constraints, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


def requirements() -> list[str]:
    """What the project asks for."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: list[str] = tomllib.load(file)["project"]["dependencies"]
    return found


def needed(lines: Iterable[str], system: Mapping[str, str]) -> set[str]:
    """Canonical names of these requirements and of all that they need on a system; they are installed here.

    What is not installed, because only the other system has it, needs nothing more.
    """
    found: set[str] = set()
    waiting = _asked(lines, system)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            with suppress(PackageNotFoundError):
                waiting += _asked(distribution(name).requires or [], system)
    return found


def _asked(lines: Iterable[str], system: Mapping[str, str]) -> list[str]:
    asked = [Requirement(line) for line in lines]
    return [
        canonicalize_name(each.name)
        for each in asked
        if each.marker is None or each.marker.evaluate({**system, "extra": ""})
    ]


def main(arguments: list[str]) -> int:
    """Fill FOLDER/site-packages."""
    folder = Path(arguments[0])
    versions = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    names = sorted(needed(requirements(), ON_A_MAC))
    missing = [name for name in names if name not in versions]
    if missing:
        sys.stderr.write(f"constraints.txt does not pin {', '.join(missing)}\n")
        return 1
    wheels = folder / "wheels"
    platforms = [word for platform in (*PLATFORMS, *OLD) for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *platforms,
               "--python-version", "3.12", "--dest", str(wheels)]  # fmt: skip
    subprocess.run([*command, *(f"{name}=={versions[name]}" for name in names)], check=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site-packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
