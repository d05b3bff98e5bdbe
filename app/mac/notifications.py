"""What the system shows outside the window: notifications, the Dock's number, a symbol that asks to be looked at.

A notification needs macOS, an app bundle and a person's permission, which the system asks for with the first one.
Where any of these is missing the app's symbol asks to be looked at instead.
"""

import sys
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_bool, c_uint64, c_void_p

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.mac.objective_c import Block, Method, ObjectiveC, run_block
from app.viewmodels.shelf.notices import Notice

__all__ = ["NotificationCenter", "SystemNotifier", "open_center"]

BUNDLE = "cabochon"
"""Part of our bundle's identifier: without a bundle the system's notification center ends the process."""

_BADGE_AND_ALERT = 1 << 0 | 1 << 2
"""UNAuthorizationOptionBadge and UNAuthorizationOptionAlert; no sound."""

_LIST_AND_BANNER = 1 << 3 | 1 << 4
"""UNNotificationPresentationOptionList and UNNotificationPresentationOptionBanner."""

_METHOD = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
_ANSWER = CFUNCTYPE(None, c_void_p, c_bool, c_void_p)


class NotificationCenter:
    """UNUserNotificationCenter. `answered` (allowed or not) and `chosen` (a conversation) are called on any thread.

    Raises OSError where there is none.
    """

    def __init__(self, answered: Callable[[bool], None], chosen: Callable[[str], None]) -> None:
        self._objc = ObjectiveC("Foundation", "UserNotifications")
        bundle = self._objc.send(self._objc.class_named("NSBundle"), "mainBundle")
        identifier = self._objc.text_of(self._objc.send(bundle, "bundleIdentifier"))
        if BUNDLE not in identifier.casefold():
            raise OSError("notifications need the app's own bundle")
        self._chosen = chosen
        self._answer = Block("v20@?0B8@12", _ANSWER, lambda _block, is_allowed, _error: answered(is_allowed))
        self._center = self._objc.send(self._objc.class_named("UNUserNotificationCenter"), "currentNotificationCenter")
        kind = "userNotificationCenter:"
        methods: dict[str, Method] = {
            f"{kind}willPresentNotification:withCompletionHandler:": ("v@:@@@?", _METHOD, self._present),
            f"{kind}didReceiveNotificationResponse:withCompletionHandler:": ("v@:@@@?", _METHOD, self._choose),
        }
        delegate = self._objc.make("CabochonNotifications", methods)
        self._objc.send(self._center, "setDelegate:", (c_void_p, delegate))

    def ask(self) -> None:
        """Ask for permission. The system asks a person once, and gives the same answer ever after."""
        options, answer = (c_uint64, _BADGE_AND_ALERT), (c_void_p, self._answer.address)
        self._objc.send(self._center, "requestAuthorizationWithOptions:completionHandler:", options, answer)

    def add(self, notice: Notice) -> None:
        """Show a notification, in place of an earlier one about the same conversation."""
        objc = self._objc
        content = objc.send(objc.send(objc.class_named("UNMutableNotificationContent"), "alloc"), "init")
        objc.send(content, "setTitle:", (c_void_p, objc.string(notice.title)))
        objc.send(content, "setBody:", (c_void_p, objc.string(notice.text)))
        request = objc.send(
            objc.class_named("UNNotificationRequest"),
            "requestWithIdentifier:content:trigger:",
            (c_void_p, objc.string(notice.conversation_id)),
            (c_void_p, content),
            (c_void_p, None),
        )
        objc.send(self._center, "addNotificationRequest:withCompletionHandler:", (c_void_p, request), (c_void_p, None))
        objc.send(content, "release")

    def remove(self, conversation_id: str) -> None:
        """Take a notification back."""
        names = self._objc.send(
            self._objc.class_named("NSArray"), "arrayWithObject:", (c_void_p, self._objc.string(conversation_id))
        )
        for what in ("DeliveredNotifications", "PendingNotificationRequests"):
            self._objc.send(self._center, f"remove{what}WithIdentifiers:", (c_void_p, names))

    def _present(self, _self: int, _selector: int, _center: int, _notification: int, then: int) -> None:
        """Show it also while the app is in front: its window may be closed."""
        run_block(then, (c_uint64, _LIST_AND_BANNER))

    def _choose(self, _self: int, _selector: int, _center: int, response: int, then: int) -> None:
        try:
            request = self._objc.send(self._objc.send(response, "notification"), "request")
            self._chosen(self._objc.text_of(self._objc.send(request, "identifier")))
        finally:
            run_block(then)


ALERT_MS = 1000
"""How long the symbol asks to be looked at; without an end it would jump until somebody comes."""

OpenCenter = Callable[[Callable[[bool], None], Callable[[str], None]], NotificationCenter | None]


def open_center(answered: Callable[[bool], None], chosen: Callable[[str], None]) -> NotificationCenter | None:
    """The system's notification center; None where there is none, or something of it is missing."""
    if sys.platform != "darwin":
        return None
    try:
        return NotificationCenter(answered, chosen)
    except (OSError, AttributeError, ValueError):  # a library, a function or a symbol is missing
        return None


class SystemNotifier(QObject):
    """Shows notices as well as the system can; `window` is what its symbol stands for.

    **Signals:** `chosen` (the id of a conversation whose notification was clicked).
    """

    chosen = Signal(str)
    _came = Signal(str)
    _answered = Signal(bool)

    def __init__(self, window: QWidget, open_center: OpenCenter = open_center) -> None:
        super().__init__(window)
        self._window = window
        self._waiting: dict[str, Notice] = {}
        self._came.connect(self.chosen, Qt.ConnectionType.QueuedConnection)
        self._answered.connect(self._go_on, Qt.ConnectionType.QueuedConnection)
        self._center = open_center(self._answered.emit, self._came.emit)

    def show(self, notice: Notice) -> None:
        """Show a notification, once it is allowed."""
        if self._center is None:
            self.attract()
            return
        self._waiting[notice.conversation_id] = notice
        self._center.ask()

    def withdraw(self, conversation_id: str) -> None:
        """Take back what was shown about a conversation, or would be."""
        self._waiting.pop(conversation_id, None)
        if self._center is not None:
            self._center.remove(conversation_id)

    def attract(self) -> None:
        """Let the symbol in the Dock jump once, or the window's entry in a task bar blink."""
        QApplication.alert(self._window, ALERT_MS)

    def set_badge(self, number: int) -> None:
        """Show a number at the symbol in the Dock; other systems have none."""
        application = QGuiApplication.instance()
        if sys.platform == "darwin" and isinstance(application, QGuiApplication):
            application.setBadgeNumber(number)

    def _go_on(self, is_allowed: bool) -> None:
        """A person allowed notifications, or did not."""
        waiting, self._waiting = self._waiting, {}
        if not is_allowed and waiting:
            self.attract()
        elif self._center is not None:
            for notice in waiting.values():
                self._center.add(notice)
