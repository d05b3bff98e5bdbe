"""A part of a window that is built when it is first wanted: nobody waits for what nobody looks at."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtWidgets import QWidget

__all__ = ["Room"]

View_co = TypeVar("View_co", bound=QWidget, covariant=True)


class Room(Generic[View_co]):
    """Holds a view, or what builds it. A view shows what view models hold, so it misses nothing by coming late."""

    def __init__(self, build: Callable[[], View_co]) -> None:
        self._build = build
        self._view: View_co | None = None
        self._furnishings: list[Callable[[View_co], object]] = []

    @property
    def is_built(self) -> bool:
        """Whether somebody wanted it yet."""
        return self._view is not None

    @property
    def view(self) -> View_co:
        """The view, built by now."""
        if self._view is None:
            self._view = self._build()
            furnishings, self._furnishings = self._furnishings, []
            for furnish in furnishings:
                furnish(self._view)
        return self._view

    def furnish(self, furnish: Callable[[View_co], object]) -> None:
        """Call `furnish` with the view: now, or as soon as it is built."""
        if self._view is not None:
            furnish(self._view)
        else:
            self._furnishings.append(furnish)
