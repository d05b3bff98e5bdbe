"""Watches on which thread Qt objects die."""

import threading
import weakref
from collections.abc import Iterable

from PySide6.QtCore import QObject


class Deaths:
    """Notes which of these objects die on another thread than this one, where Qt's locks may wait for it for ever."""

    def __init__(self, things: Iterable[QObject]) -> None:
        self.elsewhere: list[str] = []
        self.number = 0
        self._here = threading.get_ident()
        self._watched = [self._watch(thing) for thing in things]

    def _watch(self, thing: QObject) -> weakref.ref[QObject]:
        name = type(thing).__name__

        def note(_reference: weakref.ref[QObject]) -> None:
            self.number += 1
            if threading.get_ident() != self._here:
                self.elsewhere.append(name)

        return weakref.ref(thing, note)
