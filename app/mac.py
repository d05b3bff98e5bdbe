"""What only macOS has: a Mac that neither sleeps nor slows the app down while it works. Nothing happens elsewhere."""

import ctypes
import sys
from ctypes import c_char_p, c_uint64, c_void_p
from ctypes.util import find_library
from typing import Protocol

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
        path = find_library("objc")
        if path is None:
            raise OSError("there is no Objective-C runtime")
        self._objc = ctypes.CDLL(path)
        ctypes.CDLL(find_library("Foundation"))  # its classes are known to the runtime once it is loaded
        self._reason = reason.encode()
        self._token: int | None = None

    def begin(self) -> None:
        """The runtime gives a token that is not ours to keep: it is retained until the end."""
        reason = self._send(self._class("NSString"), "stringWithUTF8String:", (c_char_p, self._reason))
        options = (c_uint64, _USER_INITIATED)
        token = self._send(self._process(), "beginActivityWithOptions:reason:", options, (c_void_p, reason))
        self._token = self._send(token, "retain")

    def end(self) -> None:
        """Give the token back."""
        token, self._token = self._token, None
        self._send(self._process(), "endActivity:", (c_void_p, token))
        self._send(token, "release")

    def _process(self) -> int | None:
        return self._send(self._class("NSProcessInfo"), "processInfo")

    def _class(self, name: str) -> int | None:
        look_up = self._objc.objc_getClass
        look_up.restype, look_up.argtypes = c_void_p, [c_char_p]
        return look_up(name.encode())

    def _send(self, receiver: int | None, selector: str, *arguments: tuple[type, object]) -> int | None:
        """Send a message. Each call has its own prototype: on Apple Silicon a variadic one would be wrong."""
        register = self._objc.sel_registerName
        register.restype, register.argtypes = c_void_p, [c_char_p]
        kinds = [kind for kind, _ in arguments]
        send = ctypes.cast(self._objc.objc_msgSend, ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, *kinds))
        return send(receiver, register(selector.encode()), *(value for _, value in arguments))


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
