"""A queue that tells each page as it is read: to be killed at any moment, and its engine with it or alone.

python tests/app/reading/queue_tour.py FOLDER [DOCUMENT…]

Documents are queued to be written in every text form; without any it goes on with what it has. It ends when all is
over.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QCoreApplication  # noqa: E402

from app.bridge import Bridge  # noqa: E402
from app.store import Orders, Store  # noqa: E402
from app.viewmodels.reading.queue import Queue  # noqa: E402
from app.viewmodels.reading.queued import Progress  # noqa: E402
from engine import DocumentFormat, Reading  # noqa: E402

FORMS: tuple[DocumentFormat, ...] = ("txt", "md", "json", "csv", "docx", "xlsx")


def tell(*words: object) -> None:
    """Say a whole line."""
    print(*words, flush=True)


def main() -> None:
    """Read until all is over."""
    folder, paths = Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]
    application = QCoreApplication(sys.argv[:1])
    store = Store(folder / "store", lambda saying: tell("said", saying))
    bridge = Bridge([sys.executable, str(ROOT / "tests" / "fake_engine.py"), "fast"])
    queue = Queue(bridge, store)
    queue.page_read.connect(lambda document, page: tell("page", document.path.name, page.number))
    queue.document_changed.connect(
        lambda document: tell("writing", document.path.name) if document.progress is Progress.WRITING else None
    )
    queue.finished.connect(lambda _sentence: application.quit())
    bridge.start()
    queue.begin()
    if paths:
        queue.add(paths, Orders(Reading(way="pieces"), forms=FORMS))
    else:
        queue.changed.connect(lambda: queue.waiting or application.quit())
    tell("ready")
    application.exec()
    queue.close()
    bridge.close()
    store.close()
    tell("over")


if __name__ == "__main__":
    main()
