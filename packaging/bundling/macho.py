"""What a Mac library says of itself: a reader of Mach-O headers, which needs no Mac."""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Slice", "find_libraries", "is_macho", "read_slices"]

_THIN, _FAT, _FAT_64 = b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
_ARCHITECTURES = {0x0100000C: "arm64", 0x01000007: "x86_64"}
_HEADER = struct.Struct("<8I")
_MAX_FAT = 16
"""Slices of a universal file; a Java class, which begins alike, seems to have more."""

_RPATH, _BUILD_VERSION, _VERSION_MIN, _SIGNATURE = 0x8000001C, 0x32, 0x24, 0x1D
_LOADS = {0x0C, 0x80000018, 0x8000001F, 0x80000023}
"""Needed, needed weakly, exported again, needed upwards."""


@dataclass
class Slice:
    """One architecture of a library or program."""

    architecture: str
    minimum_system: tuple[int, int] | None = None
    rpaths: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    """Names under which other libraries are looked for."""
    is_signed: bool = False


def is_macho(path: Path) -> bool:
    """Whether a file holds code for a Mac."""
    try:
        return bool(read_slices(path))
    except (OSError, ValueError):
        return False


def find_libraries(root: Path) -> Iterator[Path]:
    """All files with code below a folder, deepest first, without links."""
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    yield from sorted((path for path in files if is_macho(path)), key=lambda path: (-len(path.parts), path))


def read_slices(path: Path) -> list[Slice]:
    """The slices of a library or program, none for another kind of file. Raises ValueError for a damaged one."""
    with path.open("rb") as file:
        magic = file.read(4)
        if magic == _THIN:
            starts = [0]
        elif magic in (_FAT, _FAT_64):
            (count,) = struct.unpack(">I", file.read(4))
            entry = struct.Struct(">5I" if magic == _FAT else ">2I3Q")
            if count > _MAX_FAT:
                return []
            starts = [entry.unpack(file.read(entry.size))[2] for _ in range(count)]
        else:
            return []
        slices = []
        for start in starts:
            file.seek(start)
            header = file.read(_HEADER.size)
            if header[:4] != _THIN:
                return []  # an archive of object files, which nobody loads
            _, cpu, _, _, count, size, _, _ = _HEADER.unpack(header)
            slices.append(_read_commands(cpu, file.read(size), count))
        return slices


def _read_commands(cpu: int, commands: bytes, count: int) -> Slice:
    found, at = Slice(_ARCHITECTURES.get(cpu, hex(cpu))), 0
    for _ in range(count):
        if at + 8 > len(commands):
            raise ValueError("the load commands end too early")
        kind, size = struct.unpack_from("<2I", commands, at)
        command = commands[at : at + size]
        if size < 8 or len(command) < size:
            raise ValueError("a load command is cut off")
        if kind == _RPATH:
            found.rpaths.append(_text(command))
        elif kind in _LOADS:
            found.needs.append(_text(command))
        elif kind in (_BUILD_VERSION, _VERSION_MIN):
            (version,) = struct.unpack_from("<I", command, 12 if kind == _BUILD_VERSION else 8)
            found.minimum_system = (version >> 16, version >> 8 & 0xFF)
        found.is_signed |= kind == _SIGNATURE
        at += size
    return found


def _text(command: bytes) -> str:
    (at,) = struct.unpack_from("<I", command, 8)
    return command[at:].split(b"\0", 1)[0].decode()


if __name__ == "__main__":  # for sign.sh
    sys.stdout.writelines(f"{path}\n" for path in find_libraries(Path(sys.argv[1])))
