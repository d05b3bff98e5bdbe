"""Made-up files of a Mac: Mach-O headers without code."""

import struct
from collections.abc import Sequence
from pathlib import Path

ARM64, X86_64 = 0x0100000C, 0x01000007


def macho(
    cpu: int = ARM64, system: tuple[int, int] = (14, 0), rpaths: Sequence[str] = (), needs: Sequence[str] = ()
) -> bytes:
    """A library of one architecture."""
    commands = [struct.pack("<6I", 0x32, 24, 1, system[0] << 16 | system[1] << 8, 0, 0)]
    commands += [_named(0x8000001C, 12, rpath) for rpath in rpaths]
    commands += [_named(0x0C, 24, name) for name in needs]
    body = b"".join(commands)
    return struct.pack("<8I", 0xFEEDFACF, cpu, 0, 6, len(commands), len(body), 0, 0) + body


def universal(*slices: bytes) -> bytes:
    """A library of several architectures."""
    at, entries = 4096, b""
    for each in slices:
        entries += struct.pack(">5I", 0, 0, at, len(each), 12)
        at += 4096
    head = b"\xca\xfe\xba\xbe" + struct.pack(">I", len(slices)) + entries
    return head.ljust(4096, b"\0") + b"".join(each.ljust(4096, b"\0") for each in slices)


def _named(kind: int, at: int, name: str) -> bytes:
    text = name.encode() + b"\0"
    size = (at + len(text) + 7) // 8 * 8
    return struct.pack("<3I", kind, size, at).ljust(at, b"\0") + text.ljust(size - at, b"\0")


def write(root: Path, files: dict[str, bytes]) -> Path:
    """Files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root
