"""What only macOS has: a Mac that neither sleeps nor slows the app down while it works. Nothing happens elsewhere."""

import sys
from ctypes import c_uint64, c_void_p
from typing import Protocol

from app.mac.objective_c import ObjectiveC

__all__ = ["Activity", "Awake", "NSActivity"]

_USER_INITIATED = 0x00FFFFFF
"""NSActivityUserInitiated: no App Nap, no automatic or sudden termination, no idle sleep of the system."""


class Activity(Protocol):
    """Something the system is told is going on."""

    def begin(self) -> None:
        """It goes on from now."""

    def end(self) -> None:
        """It is over."""


class NSActivity:
    """An activity of NSProcessInfo, by the Objective-C runtime. Raises OSError where there is none."""

    def __init__(self, reason: str) -> None:
        self._objc = ObjectiveC("Foundation")
        self._reason = reason
        self._token: int | None = None

    def begin(self) -> None:
        """The runtime gives a token that is not ours to keep: it is retained until the end."""
        reason = (c_void_p, self._objc.string(self._reason))
        options = (c_uint64, _USER_INITIATED)
        token = self._objc.send(self._process(), "beginActivityWithOptions:reason:", options, reason)
        self._token = self._objc.send(token, "retain")

    def end(self) -> None:
        """Give the token back."""
        token, self._token = self._token, None
        self._objc.send(self._process(), "endActivity:", (c_void_p, token))
        self._objc.send(token, "release")

    def _process(self) -> int | None:
        return self._objc.send(self._objc.class_named("NSProcessInfo"), "processInfo")


class Awake:
    """Holds an activity while something goes on, and only then."""

    def __init__(self, activity: Activity | None = None) -> None:
        self._activity = activity
        if activity is None and sys.platform == "darwin":
            self._activity = NSActivity("Cabochon is answering")
        self._is_held = False

    def hold(self, is_wanted: bool) -> None:
        """Begin or end it; nothing happens when it is as wanted already."""
        if is_wanted == self._is_held or self._activity is None:
            return
        self._is_held = is_wanted
        if is_wanted:
            self._activity.begin()
        else:
            self._activity.end()
