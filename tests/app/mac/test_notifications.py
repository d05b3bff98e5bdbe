"""Notifications of macOS, against an Objective-C runtime that pretends: the calls are real, the answers are not."""

import ctypes
import sys
import threading
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_bool, c_int, c_size_t, c_uint64, c_void_p

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.mac.notifications import ALERT_MS, NotificationCenter, SystemNotifier, open_center
from app.mac.objective_c import Block, run_block
from app.viewmodels.shelf.notices import Notice
from tests.app.driving import WAIT_MS

NOTICE = Notice("chat-1", "Rent", "The answer is ready.")
PRESENT = "userNotificationCenter:willPresentNotification:withCompletionHandler:"
CHOOSE = "userNotificationCenter:didReceiveNotificationResponse:withCompletionHandler:"


class PretendedRuntime:
    """As much of libobjc as is called, with an app whose bundle has this identifier."""

    def __init__(self, bundle: str) -> None:
        self.sent: list[tuple[str, ...]] = []
        self.methods: dict[str, int] = {}
        self.is_allowed = True
        self._names: dict[int, str] = {}
        self._buffers: list[ctypes.Array[ctypes.c_char]] = []
        self._bundle = bundle
        address = CFUNCTYPE(c_void_p, c_void_p)
        self.objc_getClass = address(lambda name: self.named(text_at(name)))
        self.sel_registerName = address(lambda name: self.named(text_at(name)))
        self.objc_registerClassPair = address(lambda _made: None)
        self.objc_allocateClassPair = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t)(
            lambda _parent, name, _extra: self.named(text_at(name))
        )
        self.class_addMethod = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)(self._add)
        self.objc_msgSend = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)(self._send)

    def named(self, name: str) -> int:
        """An address that stands for a class, a selector or a string."""
        buffer = ctypes.create_string_buffer(name.encode())
        self._buffers.append(buffer)
        self._names[ctypes.addressof(buffer)] = name
        return ctypes.addressof(buffer)

    def _add(self, _made: int, selector: int, code: int, types: int) -> None:
        assert text_at(types) == "v@:@@@?"
        self.methods[self._names[selector]] = code

    def _send(self, receiver: int | None, selector: int, *arguments: int | None) -> int | None:
        name = self._names[selector]
        told = [self._names.get(each or 0, "") for each in arguments[: name.count(":")]]
        self.sent.append((name, *told))
        match name:
            case "stringWithUTF8String:":
                return self.named(text_at(arguments[0]))
            case "UTF8String":
                return receiver
            case "bundleIdentifier":
                return self.named(self._bundle) if self._bundle else None
            case "identifier":
                return self.named("chat-2")
            case "requestAuthorizationWithOptions:completionHandler:":
                assert arguments[0] == 5
                call_as_the_system(arguments[1] or 0, (c_bool, self.is_allowed), (c_void_p, None))
        return receiver


def text_at(address: int | None) -> str:
    return ctypes.string_at(address or 0).decode()


def call_as_the_system(block: int, *arguments: tuple[type, object]) -> None:
    """Call a block by the ABI's own layout: flags at byte 8, code at 16, the descriptor at 24, its signature at 16."""
    assert c_int.from_address(block + 8).value == 1 << 28 | 1 << 30
    descriptor = c_void_p.from_address(block + 24).value
    assert descriptor is not None
    assert ctypes.string_at(c_void_p.from_address(descriptor + 16).value or 0) == b"v20@?0B8@12"
    code = c_void_p.from_address(block + 16).value
    assert code is not None
    CFUNCTYPE(None, c_void_p, *(kind for kind, _ in arguments))(code)(block, *(value for _, value in arguments))


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PretendedRuntime]:
    """Let there be a runtime, and an app in a bundle of this name."""

    def make(bundle: str = "org.cabochon.Cabochon") -> PretendedRuntime:
        runtime = PretendedRuntime(bundle)
        monkeypatch.setattr("app.mac.objective_c._load", lambda _name: runtime)
        monkeypatch.setattr("app.mac.objective_c._global_block", lambda: 0)
        return runtime

    return make


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


def test_a_notice_is_shown_once_it_is_allowed(
    pretend: Callable[..., PretendedRuntime], window: QWidget, qtbot: QtBot
) -> None:
    runtime = pretend()
    notifier = SystemNotifier(window, NotificationCenter)
    notifier.show(NOTICE)
    added = "addNotificationRequest:withCompletionHandler:"
    qtbot.waitUntil(lambda: any(name == added for name, *_ in runtime.sent), timeout=WAIT_MS)
    assert ("setTitle:", "Rent") in runtime.sent
    assert ("setBody:", "The answer is ready.") in runtime.sent
    assert any(sent[:2] == ("requestWithIdentifier:content:trigger:", "chat-1") for sent in runtime.sent)
    notifier.withdraw("chat-1")
    assert ("arrayWithObject:", "chat-1") in runtime.sent
    names = [name for name, *_ in runtime.sent]
    assert "removeDeliveredNotificationsWithIdentifiers:" in names
    assert "removePendingNotificationRequestsWithIdentifiers:" in names


def test_without_permission_the_symbol_asks_to_be_looked_at(
    pretend: Callable[..., PretendedRuntime], window: QWidget, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = pretend()
    runtime.is_allowed = False
    alerts: list[tuple[QWidget, int]] = []
    monkeypatch.setattr("app.mac.notifications.QApplication.alert", lambda *what: alerts.append(what))
    SystemNotifier(window, NotificationCenter).show(NOTICE)
    qtbot.waitUntil(lambda: alerts == [(window, ALERT_MS)], timeout=WAIT_MS)
    assert "setTitle:" not in [name for name, *_ in runtime.sent]


def test_where_there_is_no_center_the_symbol_asks_to_be_looked_at(
    window: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[tuple[QWidget, int]] = []
    monkeypatch.setattr("app.mac.notifications.QApplication.alert", lambda *what: alerts.append(what))
    notifier = SystemNotifier(window, lambda _answered, _chosen: None)
    notifier.show(NOTICE)
    notifier.withdraw("chat-1")
    notifier.set_badge(2)
    notifier.set_badge(0)
    assert alerts == [(window, ALERT_MS)]


def test_a_click_tells_its_conversation_and_gives_the_system_its_answer(
    pretend: Callable[..., PretendedRuntime], window: QWidget, qtbot: QtBot
) -> None:
    runtime = pretend()
    notifier = SystemNotifier(window, NotificationCenter)
    given: list[int] = []
    method = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
    shown = Block("v16@?0Q8", CFUNCTYPE(None, c_void_p, c_uint64), lambda _block, how: given.append(how))
    method(runtime.methods[PRESENT])(0, 0, 0, 0, shown.address)
    assert given == [24]
    done = Block("v8@?0", CFUNCTYPE(None, c_void_p), lambda _block: given.append(0))
    heard: list[tuple[str, bool]] = []
    notifier.chosen.connect(lambda name: heard.append((name, QThread.currentThread().isMainThread())))
    choose, response = method(runtime.methods[CHOOSE]), runtime.named("response")
    with qtbot.waitSignal(notifier.chosen, timeout=WAIT_MS):
        system = threading.Thread(target=lambda: choose(0, 0, 0, response, done.address))  # macOS has its own
        system.start()
        system.join()
    assert heard == [("chat-2", True)]
    assert given == [24, 0]


@pytest.mark.parametrize("bundle", ["", "org.python.python"])
def test_an_app_without_its_own_bundle_does_not_touch_the_center(
    pretend: Callable[..., PretendedRuntime], bundle: str
) -> None:
    runtime = pretend(bundle)
    with pytest.raises(OSError, match="bundle"):
        NotificationCenter(lambda _is_allowed: None, lambda _id: None)
    assert "currentNotificationCenter" not in [name for name, *_ in runtime.sent]


@pytest.mark.skipif(sys.platform == "darwin", reason="there it may have one")
def test_other_systems_have_no_center() -> None:
    assert open_center(lambda _is_allowed: None, lambda _id: None) is None


def test_a_block_can_be_run_by_whoever_gets_it(pretend: Callable[..., PretendedRuntime]) -> None:
    pretend()
    heard: list[int] = []
    block = Block("v16@?0Q8", CFUNCTYPE(None, c_void_p, c_uint64), lambda _block, number: heard.append(number))
    run_block(block.address, (c_uint64, 2**40))
    assert heard == [2**40]
