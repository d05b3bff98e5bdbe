"""A window that asks something and says on stdout when the answer comes, and is kept: to be killed in the middle.

python tests/app/kill_tour.py FOLDER
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QSettings  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402

from app.application import Desk, DesktopApplication, assemble  # noqa: E402
from app.look.theme import Theme  # noqa: E402
from app.settings import Settings  # noqa: E402
from engine import sample_checkpoint  # noqa: E402

WAIT_S = 240


def main() -> None:
    """Ask, and write on until somebody ends it."""
    folder = Path(sys.argv[1])
    application = DesktopApplication(["cabochon", "-platform", "offscreen"])
    settings = Settings(QSettings(str(folder.with_suffix(".ini")), QSettings.Format.IniFormat))
    command = [sys.executable, str(ROOT / "tests" / "fake_engine.py"), "slow"]
    desk = assemble(command, Theme(application, settings), settings, folder)
    desk.open(sample_checkpoint())
    desk.store.summaries().result()  # nobody types before the store is open
    desk.models.composer.replace_text("Tell me a long story")
    desk.models.composer.send()
    conversation = desk.models.conversation
    wait_until(lambda: conversation.answer is not None and bool(conversation.answer.text))
    print("writing", flush=True)
    wait_until(lambda: len(kept_text(desk)) > 100)
    print("kept", flush=True)
    application.exec()


def kept_text(desk: Desk) -> str:
    """What the store has of the answer."""
    kept = desk.store.load(desk.models.library.current_id).result()
    return kept.turns[-1].message.text if kept is not None else ""


def wait_until(is_so: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit("it never came")
        QTest.qWait(5)


if __name__ == "__main__":
    main()
