"""A recording as files: exact forms, nothing that a text could break, whole or not at all."""

import json
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from engine.documents.writers import WriteError
from engine.protocol.documents import SpokenPiece
from engine.recordings.forms import RECORDING_FORMATS, as_recording, clock, write_recording

PATH = Path("/somewhere/talk *1*.m4a")
PIECES = (
    SpokenPiece(0.0, 1.5, "", state="silent"),
    SpokenPiece(1.5, 4.25, "Good morning.", confidence=-0.25),
    SpokenPiece(3725.004, 3725.004, "1. <b>bold</b> & *stars* --> there", state="looped", reason="It went round."),
    SpokenPiece(3730, 3731, "", state="failed", reason="It failed."),
)
TRANSLATED = (SpokenPiece(1, 2, "Guten Morgen.", "Good morning."), SpokenPiece(3, 4, "Ja.", "Yes."))


def test_subtitles_are_numbered_timed_and_end_in_crlf() -> None:
    assert as_recording(PATH, PIECES, "srt") == (
        "1\r\n00:00:01,500 --> 00:00:04,250\r\nGood morning.\r\n\r\n"
        "2\r\n01:02:05,004 --> 01:02:05,504\r\n1. <b>bold</b> & *stars* → there […]\r\n\r\n"
        "3\r\n01:02:10,000 --> 01:02:11,000\r\n[…]\r\n\r\n"
    )


def test_web_subtitles_hold_no_markup_of_the_text() -> None:
    assert as_recording(PATH, PIECES, "vtt") == (
        "WEBVTT\n\n00:00:01.500 --> 00:00:04.250\nGood morning.\n"
        "\n01:02:05.004 --> 01:02:05.504\n1. &lt;b&gt;bold&lt;/b&gt; &amp; *stars* --&gt; there […]\n"
        "\n01:02:10.000 --> 01:02:11.000\n[…]\n"
    )


def test_text_is_a_line_for_each_stretch_and_says_what_is_missing() -> None:
    assert as_recording(PATH, PIECES, "txt") == (
        "Good morning.\n1. <b>bold</b> & *stars* --> there\n[1:02:05–1:02:05: It went round.]\n"
        "[1:02:10–1:02:11: It failed.]\n"
    )
    assert as_recording(PATH, TRANSLATED, "txt") == "Guten Morgen.\nGood morning.\n\nJa.\nYes.\n"


def test_markdown_shows_the_text_as_it_is() -> None:
    shown = MarkdownIt("commonmark").render(as_recording(PATH, PIECES, "md"))
    assert "<h1>talk *1*.m4a</h1>" in shown
    assert "<strong>1:02:05</strong> 1. &lt;b&gt;bold&lt;/b&gt; &amp; *stars* --&gt; there" in shown
    assert "<blockquote>\n<p>Good morning.</p>" in MarkdownIt("commonmark").render(as_recording(PATH, TRANSLATED, "md"))


def test_json_has_everything() -> None:
    told = json.loads(as_recording(PATH, PIECES, "json"))
    assert told["recording"] == str(PATH)
    assert told["pieces"][1] == {
        "start_s": 1.5, "end_s": 4.25, "text": "Good morning.", "translation": "", "state": "done",
        "confidence": -0.25, "reason": "",
    }  # fmt: skip
    assert [piece["state"] for piece in told["pieces"]] == ["silent", "done", "looped", "failed"]


def test_subtitles_are_the_translation() -> None:
    for form in ("srt", "vtt"):
        assert re.findall(r"[A-Z]\w+.*\.", as_recording(PATH, TRANSLATED, form)) == ["Good morning.", "Yes."]


@pytest.mark.parametrize("form", RECORDING_FORMATS)
def test_silence_is_nothing_and_no_file_is_replaced(form: str, tmp_path: Path) -> None:
    assert form in RECORDING_FORMATS
    target = tmp_path / "new" / f"a.{form}"
    assert write_recording(PATH, PIECES[:1], form, target) == target  # type: ignore[arg-type]
    first = target.read_bytes()
    assert form == "json" or b"0:01" not in first
    assert write_recording(PATH, PIECES, form, target) == target.with_name(f"a (2).{form}")  # type: ignore[arg-type]
    assert target.read_bytes() == first
    assert sorted(each.name for each in target.parent.iterdir()) == [f"a (2).{form}", f"a.{form}"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"“a\.txt” cannot be written: .*\. Choose another place\."):
        write_recording(PATH, PIECES, "txt", tmp_path / "file" / "a.txt")


def test_names_that_are_no_unicode_are_written(tmp_path: Path) -> None:
    for form in RECORDING_FORMATS:
        assert write_recording(Path("a\udcff.wav"), PIECES, form, tmp_path / f"a.{form}").exists()


def test_the_clock() -> None:
    assert [clock(seconds) for seconds in (0, 59.9996, 61, 3600, 360_000)] == [
        "0:00", "1:00", "1:01", "1:00:00", "100:00:00"
    ]  # fmt: skip
    assert clock(3661.0006, mark=",") == "01:01:01,001"
