"""The one way out: every connection of the app passes here, and none does while a person works offline."""

import os

from app.downloads.errors import WorksOffline

__all__ = ["Gate"]

_SET = {"1", "ON", "YES", "TRUE"}


class Gate:
    """Open or closed, from any thread; asked before every request, after every redirect, and at every piece of bytes.

    Closed by the settings, or by `HF_HUB_OFFLINE` of whoever started the app, which no setting overrides.
    """

    def __init__(self, *, is_open: bool = True) -> None:
        self._is_forbidden = os.environ.get("HF_HUB_OFFLINE", "").upper() in _SET
        self._is_open = is_open

    @property
    def is_open(self) -> bool:
        """Whether something may connect now."""
        return self._is_open and not self._is_forbidden

    def set_open(self, is_open: bool) -> None:
        """Follow the setting; what is under way ends at its next piece."""
        self._is_open = is_open

    def check(self) -> None:
        """Raise WorksOffline unless it is open."""
        if not self.is_open:
            raise WorksOffline
