"""A window that asks something and says on stdout when the answer comes: to be killed in the middle.

python tests/app/kill_tour.py FOLDER
"""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QSettings  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402

from app.application import DesktopApplication, assemble  # noqa: E402
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
    desk.models.composer.replace_text("Tell me a long story")
    desk.models.composer.send()
    deadline = time.monotonic() + WAIT_S
    while desk.models.conversation.answer is None or not desk.models.conversation.answer.text:
        if time.monotonic() > deadline:
            sys.exit("no answer began")
        QTest.qWait(5)
    print("writing", flush=True)
    application.exec()


if __name__ == "__main__":
    main()
