"""A stand-in of the Hugging Face hub on loopback: the requests that the app makes, and everything that goes wrong."""

import hashlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = ".safetensors"
"""What the hub keeps by its SHA-256; the rest is known by its git hash."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one answer about a file; the next one is as it should be."""

    status: int = 0
    """Answer this instead."""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Close the connection after so many bytes of the body."""
    corrupt: bool = False
    """A wrong byte in the middle."""
    ignores_range: bool = False
    endless: bool = False
    drips: bool = False
    """A byte, and a byte, and never an end."""
    stalls_after: int | None = None
    """Send so many bytes, and the rest when the stand-in lets go."""
    length: int | None = None
    """What Content-Length says, whatever comes."""
    content_range: str | None = None
    moves_to: str | None = None
    """Redirect to this address, in which {path} is ours."""


@dataclass
class Repository:
    """Commits and what they hold; `head` is what "main" means now."""

    commits: dict[str, dict[str, bytes]]
    head: str
    gated: bool | str = False
    card: dict[str, Any] = field(default_factory=lambda: {"license": "apache-2.0"})


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]


class StandIn:
    """Serves until it is closed. What it does next is what `faults` and `listing_faults` say, in order."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults: deque[Fault] = deque()
        self.listing_faults: deque[Fault] = deque()
        self.renamed: dict[str, str] = {}
        """Where a request about a repository is led, as the hub does for one that has another name now."""
        self.listing: bytes | None = None
        """Instead of the true one."""
        self.asked: list[Asked] = []
        self.on_bytes: Callable[[int], object] | None = None
        """Called before every few bytes of a file, with their number."""
        self.is_stalling, self.closing = threading.Event(), threading.Event()
        stand_in = self

        class Handler(_Handler):
            hub = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, repo: str, files: Mapping[str, bytes], **options: Any) -> str:
        """A repository with one commit, or another commit of it, which "main" now means."""
        commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        known = self.repositories.setdefault(repo, Repository({}, commit, **options))
        known.commits[commit] = dict(files)
        known.head = commit
        return commit

    def asked_for(self, ending: str) -> list[Asked]:
        """Requests whose path ends like this."""
        return [each for each in self.asked if each.path.endswith(ending)]

    def let_go(self) -> None:
        """Send what was held back."""
        self.closing.set()

    def close(self) -> None:
        """Stop listening, also in the middle of an answer."""
        self.let_go()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """A hub for one block."""
    hub = StandIn()
    try:
        yield hub
    finally:
        hub.close()


def digest_of(name: str, content: bytes) -> str:
    """How the hub names a content."""
    if name.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def entry_of(name: str, content: bytes) -> dict[str, Any]:
    """A file in the hub's listing."""
    entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": hashlib.sha1(content).hexdigest()}
    if name.endswith(LARGE):
        return entry | {"lfs": {"sha256": digest_of(name, content), "size": len(content), "pointerSize": 134}}
    return entry | {"blobId": digest_of(name, content)}


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """A client may be killed, and then goes without a word."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(Asked(path, {name.lower(): value for name, value in self.headers.items()}))
        for old, new in self.hub.renamed.items():
            if f"/{old}/" in path:
                self._answer(307, b"", {"Location": self.path.replace(old, new)})
                return
        if path.startswith("/api/models/"):
            self._list(*path.removeprefix("/api/models/").split("/revision/"))
        else:
            repo, _, rest = path.removeprefix("/storage").removeprefix("/").partition("/resolve/")
            self._serve(repo, *rest.split("/", 1))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""

    def _list(self, name: str, revision: str) -> None:
        fault = self.hub.listing_faults.popleft() if self.hub.listing_faults else Fault()
        if fault.status:
            self._answer(fault.status, b"", fault.headers)
        elif self.hub.listing is not None:
            self._answer(200, self.hub.listing)
        else:
            repository = self.hub.repositories.get(name)
            if repository is None:
                self._answer(401, b"", {"X-Error-Code": "RepoNotFound"})
                return
            commit = repository.head if revision == "main" else revision
            if commit not in repository.commits:
                self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
                return
            files = repository.commits[commit]
            told = {
                "id": name, "sha": commit, "gated": repository.gated, "cardData": repository.card,
                "siblings": [entry_of(*item) for item in files.items()],
            }  # fmt: skip
            self._answer(200, json.dumps(told).encode())

    def _serve(self, repo: str, commit: str, name: str) -> None:
        fault = self.hub.faults.popleft() if self.hub.faults else Fault()
        files = self.hub.repositories[repo].commits.get(commit, {})
        if fault.status:
            self._answer(fault.status, b"", fault.headers)
        elif fault.moves_to is not None:
            self._answer(302, b"", {"Location": fault.moves_to.format(path=self.path)})
        elif name not in files:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        else:
            self._send(files[name], f'"{digest_of(name, files[name])}"', fault)

    def _send(self, content: bytes, tag: str, fault: Fault) -> None:
        total, start = len(content), self._start(tag, fault)
        if start >= total > 0:
            self._answer(416, b"", {"Content-Range": f"bytes */{total}"})
            return
        if fault.corrupt:
            content = content[: total // 2] + bytes([content[total // 2] ^ 1]) + content[total // 2 + 1 :]
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", fault.content_range or f"bytes {start}-{total - 1}/{total}")
        if fault.endless or fault.drips:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body) if fault.length is None else fault.length))
        for header, value in {"ETag": tag, **fault.headers}.items():
            self.send_header(header, value)
        self.end_headers()
        self._send_body(body, fault)

    def _start(self, tag: str, fault: Fault) -> int:
        """From where on a client wants it, if it is still what that client has."""
        wanted = self.headers.get("Range", "")
        if not wanted or fault.ignores_range or self.headers.get("If-Range", tag) != tag:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _send_body(self, body: bytes, fault: Fault) -> None:
        while fault.endless:
            self.wfile.write(b"x" * 1000)
        while fault.drips and not self.hub.closing.wait(0.02):
            self.wfile.write(b"x")
        if fault.stalls_after is not None:
            self.wfile.write(body[: fault.stalls_after])
            self.hub.is_stalling.set()
            self.hub.closing.wait()
            self.wfile.write(body[fault.stalls_after :])
        elif fault.cut_after is not None and fault.cut_after < len(body):
            self.wfile.write(body[: fault.cut_after])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif not fault.drips:
            self._write(body)

    def _write(self, body: bytes) -> None:
        on_bytes, step = self.hub.on_bytes, 10_000
        if on_bytes is None:
            self.wfile.write(body)
            return
        for start in range(0, len(body), step):
            on_bytes(len(body[start : start + step]))
            self.wfile.write(body[start : start + step])

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for header, value in (headers or {}).items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
