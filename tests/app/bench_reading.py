"""How long the window's thread is kept busy while a document of 500 pages is looked at, read, scrolled and searched.

    python tests/app/bench_reading.py [--pages 500]

Prints what `bench_streaming.py` prints, with the pretended engine.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings  # noqa: E402

from app.application import DesktopApplication, assemble  # noqa: E402
from app.garbage import Collector  # noqa: E402
from app.look.theme import Theme  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.viewmodels.reading.document import Phase  # noqa: E402
from engine import sample_checkpoint  # noqa: E402
from tests.app.bench_streaming import Heart, live, wait_until  # noqa: E402
from tests.fake_documents import Pretence, pretend  # noqa: E402

FAKE = [sys.executable, str(ROOT / "tests" / "fake_engine.py"), "fast"]


def main() -> None:
    """Do what a person does with a long document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    num_pages = parser.parse_args().pages
    application = DesktopApplication(["cabochon"])
    collector = Collector(application)
    folder = Path(tempfile.mkdtemp())
    settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    desk = assemble([*FAKE, str(folder / "marker")], Theme(application, settings), settings, folder / "data")
    desk.open(sample_checkpoint())
    desk.window.resize(1280, 820)
    wait_until(lambda: desk.models.model.is_ready)
    live(500)
    path = pretend(folder / "long.pdf", Pretence(("picture",) * num_pages, num_lines=40, seconds=0.02))
    reader, view = desk.models.reader, desk.window.reading

    heart = Heart()
    desk.models.arrivals.open([path])
    document = reader.document
    assert document is not None
    wait_until(lambda: document.phase is Phase.KNOWN)
    live(500)
    heart.stop("looking")

    heart = Heart()
    desk.window.commands["read_all"].trigger()
    bar = view.thumbnails.verticalScrollBar()
    while document.is_reading:
        bar.setValue((bar.value() + 700) % max(bar.maximum(), 1))
        live(40)
    heart.stop("reading, while the small pictures are scrolled")

    heart = Heart()
    for number in range(1, num_pages, 7):
        reader.go_to(number)
        live(30)
    heart.stop("going through the pages")

    heart = Heart()
    for words in ("s", "si", "sister", "was"):
        desk.models.page_finding.look_for(words)
        live(400)
    for _ in range(30):
        desk.models.page_finding.step(1)
        live(20)
    heart.stop("finding")

    heart = Heart()
    reader.go_to(1)
    view.text.editor.setFocus()
    for letter in "The quick brown fox " * 4:
        view.text.editor.insertPlainText(letter)
        live(15)
    for _ in range(20):
        desk.window.commands["next_doubt"].trigger()
        live(20)
    heart.stop("typing and stepping through doubts")
    desk.close()
    collector.close()


if __name__ == "__main__":
    main()
