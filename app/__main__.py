"""The one executable: the window, the command line, or a child process of the engine, decided before any Qt import."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMANDS = ("ask", "bench", "chat", "check", "models", "ocr", "selftest", "transcribe", "--help", "-h", "--version")

LIMITED = {
    "--template": "run_template_process",
    "--pictures": "run_picture_process",
    "--documents": "run_document_process",
    "--recordings": "run_recording_process",
    "--writer": "run_writer_process",
}
"""Processes for work on strangers' files, and the names of what they run."""


def main() -> int:
    """Run what the arguments ask for and return the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--engine"]:
        from engine import run_engine_process

        return run_engine_process(*map(Path, arguments[1:2]))
    if arguments and arguments[0] in LIMITED:
        import engine

        return getattr(engine, LIMITED[arguments[0]])()
    if arguments and arguments[0] in COMMANDS:
        from engine import run_command_line

        return run_command_line(arguments, _fetch)
    if arguments and not arguments[0].startswith("-") and not Path(arguments[0]).exists():
        sys.stderr.write(f"There is no command and no file named {arguments[0]!r}. See cabochon --help.\n")
        return 2
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))):
        sys.stderr.write("There is no display to open a window on. See cabochon --help for what works without one.\n")
        return 1
    from app.application import main as open_window

    return open_window(sys.argv)


def _fetch(
    repository: str, revision: str, to: Path | None, check: Callable[[Path], object], tell: Callable[[Any], None]
) -> Path:
    """Bring a model for the command line; "Work offline" in the window's settings holds here too."""
    from PySide6.QtCore import QSettings

    from app.downloads import Gate, Hub, fetch
    from app.settings import Settings, may_use_network

    gate = Gate(is_open=may_use_network(Settings(QSettings("Cabochon", "Cabochon"))))
    return fetch(Hub(gate), repository, revision, to, check, tell)


if __name__ == "__main__":
    sys.exit(main())
