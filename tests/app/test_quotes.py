"""Texts that are attached: which files count as text, and how they are quoted."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.viewmodels.quotes import quoted, read_text_file, unquoted
from engine import AttachmentError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_text_in_unicode_is_read(tmp_path: Path, encoding: str) -> None:
    text = "Grüße\n日本語\ttab"
    marks = {"utf-16-le-bom": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff"}
    data = marks.get(encoding, b"") + text.encode(encoding.removesuffix("-bom"))
    (tmp_path / "notes").write_bytes(data)
    assert read_text_file(tmp_path / "notes") == text


def test_lines_of_other_systems_end_like_ours(tmp_path: Path) -> None:
    (tmp_path / "dos.txt").write_bytes(b"one\r\ntwo\rthree\n")
    assert read_text_file(tmp_path / "dos.txt") == "one\ntwo\nthree\n"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x89PNG\r\n", b"%PDF-1.7\n", b"a\x00b"])
def test_other_content_is_no_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "thing").write_bytes(data)
    assert read_text_file(tmp_path / "thing") is None


def test_a_text_file_in_another_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(AttachmentError, match=r"“old.txt” cannot be read as text in UTF-8, or .* Save it as UTF-8"):
        read_text_file(tmp_path / "old.txt")


def test_a_text_is_read_up_to_its_limit_and_refused_beyond(tmp_path: Path) -> None:
    (tmp_path / "whole.txt").write_text("ä" * (128 * 1024), encoding="utf-8")
    assert read_text_file(tmp_path / "whole.txt") == "ä" * (128 * 1024)
    (tmp_path / "more.txt").write_text("a" + "ä" * (128 * 1024), encoding="utf-8")  # cut in the middle of a letter
    with pytest.raises(AttachmentError, match="256 KB of text are the most"):
        read_text_file(tmp_path / "more.txt")


@settings(deadline=None)
@given(text=st.text(st.sampled_from("`\n aé")) | st.text())
def test_a_quotation_is_recognized_again(text: str) -> None:
    assert unquoted(quoted("my notes.md", text)) == ("my notes.md", text)


def test_no_text_ends_its_own_fence() -> None:
    fence = quoted("a.md", "```python\nprint()\n```").splitlines()[1]
    assert fence == "````"


def test_what_is_written_is_no_quotation() -> None:
    assert unquoted("Look:\n```\ncode\n```") is None


@pytest.mark.parametrize(
    "data", ["Grüße".encode("utf-16-le"), b"\xff\xfea", "\ufeffa\x01".encode("utf-16-le"), "a".encode("utf-32")]
)
def test_what_is_no_text_to_us_is_not_told_that_it_is_no_utf_16(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "old.txt").write_bytes(data)
    with pytest.raises(AttachmentError, match=r"UTF-16 that its first bytes announce\. Save it as UTF-8 first\.$"):
        read_text_file(tmp_path / "old.txt")
