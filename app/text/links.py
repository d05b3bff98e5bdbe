"""Links in an answer: which may be opened, and what to ask first. Nothing is opened without a person's yes."""

from dataclasses import dataclass

from PySide6.QtCore import QUrl

__all__ = ["LinkQuestion", "link_tip", "question_for"]

_OPENABLE = ("http", "https", "mailto")


@dataclass(frozen=True)
class LinkQuestion:
    """What to ask before a link leaves the app."""

    url: QUrl
    title: str
    detail: str


def question_for(url: QUrl) -> LinkQuestion | None:
    """The question to ask before `url` is opened, or None when this kind of link is never opened."""
    if url.scheme().lower() not in _OPENABLE:
        return None
    shown = url.toDisplayString()
    if url.scheme().lower() == "mailto":
        return LinkQuestion(url, f"Write to {url.path()}?", "Your mail app will open.")
    if not url.host():
        return None
    return LinkQuestion(url, f"Open {url.host()}?", f"The model wrote this link; it leaves Cabochon.\n\n{shown}")


def link_tip(url: QUrl) -> str:
    """Where a link leads, for those who point at it: its host, whatever its words say."""
    if question_for(url) is None:
        return "This kind of link is not opened"
    return f"Write to {url.path()}" if url.scheme().lower() == "mailto" else url.host()
