"""Texts that are attached: which files count as text, and how they are quoted."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.store.answers import with_quotes
from app.viewmodels.conversation.turns import UserTurn
from app.viewmodels.draft.quotes import read_text_file
from engine import AttachmentError, Part, Quote, Text, user
from tests.app.driving import WAIT_MS, OpenDesk, attach, say, send, wait_for_end


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


def test_no_text_ends_its_own_fence() -> None:
    fence = Quote("a.md", "```python\nprint()\n```").written.text.splitlines()[1]
    assert fence == "````"


@given(text=st.text(st.sampled_from("`\n aé")) | st.text(), name=st.text(min_size=1))
def test_a_quotation_of_earlier_versions_becomes_one(text: str, name: str) -> None:
    quote = Quote(name, text)
    kept = msgspec.json.encode((*user("Look").parts, quote.written)).decode()
    look, found = msgspec.json.decode(with_quotes(kept) or "", type=tuple[Part, ...])
    assert look == Text("Look")
    assert isinstance(found, Quote)
    assert (found.text, found.written) == (quote.text, quote.written)


@pytest.mark.parametrize(
    "kept", [None, "{", "[1", '"a"', "[[]]", '{"parts": 1}', '{"role": "assistant", "parts": []}', "3"]
)
def test_what_is_damaged_or_an_answer_stays_as_it_is(kept: str | None) -> None:
    assert with_quotes(kept) == kept


def test_a_text_that_looks_like_a_quotation_stays_text_also_after_a_restart(open_desk: OpenDesk, qtbot: QtBot) -> None:
    lookalike = Quote("a.txt", "not attached").written.text
    desk = open_desk("text")
    say(desk, lookalike)
    assert wait_for_end(qtbot, desk).text == lookalike
    desk.close()
    turn = wait_for_question(open_desk("text"), qtbot)
    assert (turn.text, turn.enclosures) == (lookalike, ())


def test_a_quotation_is_one_also_after_a_restart_and_is_told_as_text(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("attached")
    desk = open_desk("echo")
    attach(desk, tmp_path / "a.txt")
    desk.models.composer.replace_text("Read")
    send(desk)
    told = Quote("a.txt", "attached").written.text
    assert told in wait_for_end(qtbot, desk).text
    desk.close()
    turn = wait_for_question(open_desk("echo"), qtbot)
    assert turn.text == "Read"
    assert [each.name for each in turn.enclosures] == ["a.txt"]
    assert turn.draft == ("Read", (Quote("a.txt", "attached"),))


def wait_for_question(desk: Desk, qtbot: QtBot) -> UserTurn:
    """The first turn of the conversation that was open."""
    qtbot.waitUntil(lambda: bool(desk.models.conversation.turns), timeout=WAIT_MS)
    turn = desk.models.conversation.turns[0]
    assert isinstance(turn, UserTurn)
    return turn
