"""Threads that take their time, on demand: a test that passes only because one of them is quick fails."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from app.background import Lane
from app.bridge import Bridge
from app.store import Store
from engine import Envelope, PageLooked, PageProgress, PageRead, PrefillProgress, TextDelta, ThoughtDelta

IN_STREAMS = (TextDelta, ThoughtDelta, PrefillProgress, PageProgress, PageLooked, PageRead)
"""Events that come faster than they would be let through."""


def slow_down(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let whatever the store, a lane or an engine does for the window take so much longer."""
    monkeypatch.setattr(Lane, "_do", _late(Lane._do, seconds))
    hear, submit = Bridge._hear, Store._submit

    def hear_late(self: Bridge, envelope: Envelope) -> None:
        if not isinstance(envelope.event, IN_STREAMS):
            time.sleep(seconds)
        hear(self, envelope)

    def submit_late(self: Store, work: Callable[[], Any]) -> Future[Any]:
        return submit(self, _late(work, seconds))

    monkeypatch.setattr(Bridge, "_hear", hear_late)
    monkeypatch.setattr(Store, "_submit", submit_late)


def _late(work: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    def late(*arguments: Any) -> Any:
        time.sleep(seconds)
        return work(*arguments)

    return late
