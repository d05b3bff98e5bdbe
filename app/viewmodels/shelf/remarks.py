"""What stands above the message because something is wrong with what is kept: several things may be at once."""

from PySide6.QtCore import QObject, Qt, Signal

from app.store import Matter, Saying

__all__ = ["Remarks"]


class Remarks(QObject):
    """The conditions that hold now. The most important one is shown; `show_next` leads to the others, in a circle.

    One goes when its cause goes, or when a person has read it.

    **Signals:** `changed`.
    """

    changed = Signal()
    _came = Signal(object)
    _went = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._sayings: dict[Matter, Saying] = {}
        self._shown: Matter | None = None
        self._came.connect(self._add, Qt.ConnectionType.QueuedConnection)
        self._went.connect(self._remove, Qt.ConnectionType.QueuedConnection)

    @property
    def all(self) -> list[str]:
        """Every sentence, the most important one first."""
        return [str(self._sayings[matter]) for matter in sorted(self._sayings, reverse=True)]

    @property
    def shown(self) -> str:
        """The sentence that is shown; empty when nothing is wrong."""
        return str(self._sayings.get(self._shown, "")) if self._shown is not None else ""

    @property
    def more(self) -> str:
        """How many others there are: "and 1 more"; empty when there are none."""
        return f"and {len(self._sayings) - 1} more" if len(self._sayings) > 1 else ""

    def take(self, saying: Saying) -> None:
        """Take a sentence, on any thread."""
        self._came.emit(saying)

    def end(self, matter: Matter) -> None:
        """The cause of a sentence has gone; on any thread."""
        self._went.emit(matter)

    def dismiss(self) -> None:
        """A person has read the sentence that is shown."""
        if self._shown is not None:
            self._remove(self._shown)

    def show_next(self) -> None:
        """Show the next one in the order of importance, after the last one the first."""
        matters = sorted(self._sayings, reverse=True)
        if self._shown in matters:
            self._shown = matters[(matters.index(self._shown) + 1) % len(matters)]
            self.changed.emit()

    def _add(self, saying: Saying) -> None:
        self._sayings[saying.matter] = saying
        if self._shown is None or saying.matter >= self._shown:
            self._shown = saying.matter
        self.changed.emit()

    def _remove(self, matter: Matter) -> None:
        if self._sayings.pop(matter, None) is not None:
            if self._shown is matter:
                self._shown = max(self._sayings, default=None)
            self.changed.emit()
