"""Text in files: encodings, limits, and what is no text."""

import os
from pathlib import Path

import pytest

from app.files.text_files import FileText, read_text

ENCODINGS = {"utf-8": b"", "utf-8-sig": b"", "utf-16": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_form_of_unicode_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a").write_bytes(ENCODINGS[encoding] + "Grüße\r\n日本語\rend 🦊".encode(encoding))
    assert read_text(tmp_path / "a", 1000) == FileText("Grüße\n日本語\nend 🦊", is_cut=False, is_exact=True)


def test_no_character_is_cut_in_two(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("aé🦊".encode())
    texts = [read_text(tmp_path / "a", size) for size in range(8)]
    assert [found.text for found in texts if found] == ["", "a", "a", "aé", "aé", "aé", "aé", "aé🦊"]
    assert [found.is_cut for found in texts if found] == [True] * 7 + [False]
    assert all(found and found.is_exact for found in texts)
    (tmp_path / "b").write_bytes("ab".encode("utf-16"))
    assert read_text(tmp_path / "b", 5) == FileText("a", is_cut=True, is_exact=True)


def test_another_encoding_is_replaced_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("Grüße".encode("latin-1"))
    assert read_text(tmp_path / "a", 100) == FileText("Gr\ufffd\ufffde", is_cut=False, is_exact=False)


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"a\0b", "a\0b".encode("utf-16")])
def test_what_no_text_holds_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert read_text(tmp_path / "a", 100) is None


def test_a_terminals_colours_are_text(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\x1b[31mred\x1b[0m\tand\x0c")
    assert read_text(tmp_path / "a.log", 100) is not None


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a file"):
        read_text(tmp_path, 100)


def test_a_pipe_is_no_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(OSError, match="not a file"):
        read_text(tmp_path / "a.txt", 100)
