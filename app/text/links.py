"""Links in an answer: which may be opened, and what to ask first. Nothing is opened without a person's yes."""

from dataclasses import dataclass

from PySide6.QtCore import QUrl

__all__ = ["LinkQuestion", "link_tip", "page_link", "page_of", "question_for"]

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


def page_link(number: int) -> str:
    """What leads to a page of a document that is asked about."""
    return f"page:{number}"


def page_of(url: QUrl) -> int:
    """The page that a link leads to; 0 for every other link."""
    number = url.path()
    return int(number) if url.scheme() == "page" and number.isdecimal() and len(number) <= 5 else 0


def link_tip(url: QUrl) -> str:
    """Where a link leads, for those who point at it: its host, whatever its words say."""
    if page_of(url):
        return f"Shows page {page_of(url):,}"
    if question_for(url) is None:
        return "This kind of link is not opened"
    return f"Write to {url.path()}" if url.scheme().lower() == "mailto" else url.host()
