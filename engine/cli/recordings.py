"""`cabochon transcribe`: recordings of any length as text, each as it comes or as a file, and gone on with later."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from rich.progress import Progress

from engine.cli.output import answers, json_line, notes, say, write_answer, write_json, write_line
from engine.documents.writers import WriteError
from engine.engine import Engine
from engine.protocol.documents import SpokenPiece
from engine.protocol.errors import AttachmentError, EngineError, named
from engine.protocol.events import Failed, RecordingRead, SpeechRead
from engine.recordings.forms import RecordingFormat, as_recording, clock, write_recording
from engine.recordings.silence import speaks
from engine.recordings.source import OpenRecording
from engine.tasks.asking import ask_engine
from engine.tasks.recording import longest_stretch_s, read_recording
from engine.tasks.speech import transcribe

__all__ = ["Transcription"]


class _Begun(msgspec.Struct, frozen=True):
    """The first line of a file of pieces: what they are of. One that is of something else is not gone on with."""

    path: str
    size_bytes: int
    changed_ns: int
    model: str
    language: str
    translation: str


_begun: msgspec.json.Decoder[_Begun] = msgspec.json.Decoder(_Begun)
_piece: msgspec.json.Decoder[SpokenPiece] = msgspec.json.Decoder(SpokenPiece)


@dataclass(frozen=True)
class Transcription:
    """What was asked for, of each file."""

    engine: Engine
    language: str = ""
    translation: str = ""
    form: RecordingFormat | None = None
    """None for the text as it comes."""
    out: Path | None = None
    resumes: bool = False
    as_json: bool = False

    def write(self, path: Path) -> bool:
        """Write down one recording; False where a part of it could not be. Raises EngineError."""
        if self.out is not None:
            return self._write_file(path, self.out)
        if self.form is not None:
            pieces = list(self._pieces(path))
            answers.stream.write(as_recording(path, pieces, self.form))
            answers.stream.flush()
            return _remarks(path, pieces)
        if self._fits_at_once(path):
            return self._write_at_once(path)
        return self._write_as_it_comes(path)

    def _fits_at_once(self, path: Path) -> bool:
        """Whether it is short enough to be asked for as a whole; nobody is asked about silence."""
        with OpenRecording(path) as recording:
            if not 0 < recording.seconds <= longest_stretch_s(self.engine.info):
                return False
            return speaks(np.concatenate([np.zeros(0, np.float32), *recording.blocks()]))

    def _write_at_once(self, path: Path) -> bool:
        events = transcribe(self.engine, path, self.language or None, self.translation or None)
        write_json(events, file=str(path)) if self.as_json else write_answer(events)
        return True

    def _write_as_it_comes(self, path: Path) -> bool:
        pieces: list[SpokenPiece] = []
        try:
            for event in self._events(path):
                if self.as_json:
                    write_line(f'{{"file": {json_line(str(path))}, "event": {json_line(event)}}}')
                elif isinstance(event, SpeechRead):
                    for text in filter(None, (event.piece.text, event.piece.translation)):
                        write_line(text)
                if isinstance(event, SpeechRead):
                    pieces.append(event.piece)
        except EngineError as error:
            if self.as_json:
                failed = Failed(type(error).__name__, str(error))
                write_line(f'{{"file": {json_line(str(path))}, "event": {json_line(failed)}}}')
            raise
        return _remarks(path, pieces)

    def _write_file(self, path: Path, out: Path) -> bool:
        form = self.form or "txt"
        target = out / f"{path.stem}.{form}"
        kept = target.with_name(f"{target.name}.cabochon-unfinished")
        if self.resumes and target.exists() and not kept.exists():
            say(f"{target} is there already.", "dim")
            return True
        pieces = self._kept_pieces(path, kept) if self.resumes else []
        with _kept(kept, self._key(path), pieces) as keep:
            for piece in self._pieces(path, pieces[-1] if pieces else None):
                keep(piece)
                pieces.append(piece)
        write_line(str(write_recording(path, pieces, form, target)))
        kept.unlink(missing_ok=True)
        return _remarks(path, pieces)

    def _pieces(self, path: Path, behind: SpokenPiece | None = None) -> Iterator[SpokenPiece]:
        return (event.piece for event in self._events(path, behind) if isinstance(event, SpeechRead))

    def _events(self, path: Path, behind: SpokenPiece | None = None) -> Iterator[SpeechRead | RecordingRead]:
        """With their progress on stderr, and the time that is left."""
        start_s = behind.end_s if behind is not None else 0.0
        columns = Progress.get_default_columns()
        with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
            task = progress.add_task(path.name, total=None)
            for event in read_recording(
                path, ask_engine(self.engine), self.engine.info, language=self.language, translation=self.translation,
                behind=behind,
            ):  # fmt: skip
                if isinstance(event, SpeechRead):
                    progress.update(
                        task, total=event.total_s - start_s, completed=event.piece.end_s - start_s,
                        description=f"{path.name} {clock(event.piece.end_s)} of {clock(event.total_s)}",
                    )  # fmt: skip
                yield event

    def _key(self, path: Path) -> _Begun:
        try:
            found = path.stat()
        except OSError as error:
            raise AttachmentError(f"{named(path)} cannot be opened: {error.strerror}.") from error
        return _Begun(
            os.fsencode(path.absolute()).hex(), found.st_size, found.st_mtime_ns, self.engine.info.path, self.language,
            self.translation,
        )  # fmt: skip

    def _kept_pieces(self, path: Path, kept: Path) -> list[SpokenPiece]:
        """What an earlier run wrote down, as far as its lines are whole."""
        pieces: list[SpokenPiece] = []
        with suppress(OSError, msgspec.DecodeError):
            with kept.open("rb") as file:
                first, *lines = file.read().splitlines(keepends=True) or [b""]
            if _begun.decode(first) != self._key(path):
                return []
            pieces.extend(_piece.decode(line) for line in lines if line.endswith(b"\n"))
        if pieces:
            say(f"{path.name}: going on at {clock(pieces[-1].end_s)}.", "dim")
        return pieces


@contextmanager
def _kept(place: Path, begun: _Begun, pieces: list[SpokenPiece]) -> Iterator[Callable[[SpokenPiece], None]]:
    """A file that has each piece as soon as it is known, for a run that goes on where this one was stopped.

    pieces: those that are known, to which the caller adds. Without any there is nothing to go on from, and no file.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refusal(place, error) from error
    with os.fdopen(handle, "wb", buffering=0) as file:  # what the disk refuses is not tried once more at the end

        def keep(value: msgspec.Struct) -> None:
            rest = memoryview(msgspec.json.encode(value) + b"\n")
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError as error:
                raise _refusal(place, error) from error

        try:
            for value in (begun, *pieces):
                keep(value)
            yield keep
        finally:
            if not pieces:
                place.unlink(missing_ok=True)


def _refusal(place: Path, error: OSError) -> WriteError:
    reason = error.strerror or type(error).__name__
    return WriteError(f"{named(place)} cannot be written: {reason}. Choose another place.")


def _remarks(path: Path, pieces: list[SpokenPiece]) -> bool:
    """Say which parts to check; False if one is missing."""
    for piece in pieces:
        if piece.reason:
            say(f"{path.name} {clock(piece.start_s)}–{clock(piece.end_s)}: {piece.reason}", "yellow")
    if not any(piece.text or piece.reason for piece in pieces):
        say(f"{path.name}: nobody speaks.", "dim")
    return all(piece.state != "failed" for piece in pieces)
