"""A recording as text, as subtitles, as Markdown and as JSON; written whole or not at all, and never over another file.

What nobody said stands in brackets: where a part could not be written down, and why.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import msgspec

from engine.documents.writers import WriteError
from engine.documents.writers.texts import escaped
from engine.files.whole_files import file_beside, put_in_place
from engine.protocol.documents import SpokenPiece
from engine.protocol.errors import named, without_surrogates
from engine.version import VERSION

__all__ = ["RECORDING_FORMATS", "RecordingFormat", "as_recording", "clock", "write_recording"]

RecordingFormat = Literal["txt", "srt", "vtt", "json", "md"]
RECORDING_FORMATS: tuple[RecordingFormat, ...] = get_args(RecordingFormat)
"""Each is the suffix of its files."""

_SHORTEST_CUE_S = 0.5
"""Players drop what is shown for no time."""

_FOR_ALL = 0o666


def as_recording(path: Path, pieces: Sequence[SpokenPiece], form: RecordingFormat) -> str:
    """The pieces of a recording in a form. Subtitles are the translation where there is one."""
    return without_surrogates(_FORMS[form](path, pieces))


def write_recording(path: Path, pieces: Sequence[SpokenPiece], form: RecordingFormat, target: Path) -> Path:
    """Write them to `target`, or where that is taken, to "name (2)"; folders are made. Raises WriteError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_beside(target, _FOR_ALL) as new:
            new.write_text(as_recording(path, pieces, form), encoding="utf-8", newline="\n")
            return put_in_place(new, target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WriteError(f"{named(target)} cannot be written: {reason}. Choose another place.") from error


def clock(seconds: float, *, mark: str = "") -> str:
    """A time as people say it, `1:02:03`; with a mark as subtitles have it, `01:02:03,004`."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    if mark:
        return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
    return f"{hours}:{minutes:02}:{rest // 1000:02}" if hours else f"{minutes}:{rest // 1000:02}"


def remark(piece: SpokenPiece) -> str:
    """What to know about a piece, in brackets; empty where all is well."""
    return f"[{clock(piece.start_s)}–{clock(piece.end_s)}: {piece.reason}]" if piece.reason else ""


def _to_text(_: Path, pieces: Sequence[SpokenPiece]) -> str:
    parts = ["\n".join(filter(None, (each.text, each.translation, remark(each)))) for each in _told(pieces)]
    between = "\n\n" if any(each.translation for each in pieces) else "\n"
    return between.join(parts) + ("\n" if parts else "")


def _to_markdown(path: Path, pieces: Sequence[SpokenPiece]) -> str:
    parts = [f"# {escaped(' '.join(path.name.split()))}"]
    for each in _told(pieces):
        parts.append(f"**{clock(each.start_s)}** {escaped(each.text)}".rstrip())
        if each.translation:
            parts.append(f"> {escaped(each.translation)}")
        if each.reason:
            parts.append(f"*{escaped(remark(each))}*")
    return "\n\n".join(parts) + "\n"


def _to_srt(_: Path, pieces: Sequence[SpokenPiece]) -> str:
    """Numbered from 1, lines end in CR LF as the format's first program wrote them."""
    cues = _cues(pieces, ",", lambda text: text.replace("-->", "→"))
    return "".join(f"{number}\r\n{times}\r\n{text}\r\n\r\n" for number, (times, text) in enumerate(cues, start=1))


def _to_vtt(_: Path, pieces: Sequence[SpokenPiece]) -> str:
    entities = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
    cues = _cues(pieces, ".", lambda text: text.translate(entities))
    return "WEBVTT\n" + "".join(f"\n{times}\n{text}\n" for times, text in cues)


def _to_json(path: Path, pieces: Sequence[SpokenPiece]) -> str:
    told = {"program": f"Cabochon {VERSION}", "recording": without_surrogates(str(path)), "pieces": list(pieces)}
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def _cues(pieces: Sequence[SpokenPiece], mark: str, written: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    for each in _told(pieces):
        end_s = max(each.end_s, each.start_s + _SHORTEST_CUE_S)
        text = " ".join((each.translation or each.text).split())
        text = f"{text} […]".strip() if each.state in ("cut_off", "looped", "failed") else text
        yield f"{clock(each.start_s, mark=mark)} --> {clock(end_s, mark=mark)}", written(text)


def _told(pieces: Sequence[SpokenPiece]) -> Iterator[SpokenPiece]:
    """Where somebody spoke."""
    return (each for each in pieces if each.text or each.reason)


_FORMS: Mapping[RecordingFormat, Callable[[Path, Sequence[SpokenPiece]], str]] = {
    "txt": _to_text, "srt": _to_srt, "vtt": _to_vtt, "json": _to_json, "md": _to_markdown,
}  # fmt: skip
