"""The Hugging Face hub: what a repository holds at a revision, its card, and the bytes of its files."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from app.downloads.connection import Connection
from app.downloads.errors import DownloadError, NotFound
from app.downloads.gate import Gate
from app.downloads.values import Listing, Patience, RemoteFile
from app.text.foreign_text import one_line
from engine import write_whole

__all__ = ["Hub"]

MOST_OF_LISTING = 16 << 20
MOST_OF_CARD = 1 << 20
MOST_FILES = 2000
MOST_BYTES = 4 << 40
"""Of a file: more than any disk of a Mac."""

_NEEDED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.(safetensors|json|jinja)|tokenizer\.model")
"""At the top of the repository: no folder, no program, nothing that a file system reads as more than a name."""
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
"""The hub's own rule, more or less; it becomes the name of a folder, in which "--" stands for "/"."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = {40: re.compile(r"[0-9a-f]{40}"), 64: re.compile(r"[0-9a-f]{64}")}
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,4}")


class _Large(msgspec.Struct):
    sha256: str
    size: int


class _Entry(msgspec.Struct, rename="camel"):
    rfilename: str
    size: int | None = None
    blob_id: str | None = None
    lfs: _Large | None = None


class _Repository(msgspec.Struct, rename="camel"):
    id: str
    sha: str
    siblings: list[_Entry]
    gated: bool | str = False
    card_data: dict[str, Any] | None = None


class Hub:
    """Asked only when a person wants something from it; every method may take its time and raises DownloadError."""

    def __init__(
        self,
        gate: Gate,
        endpoint: str | None = None,
        token: str | None = None,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """endpoint: by default the hub, or whatever `HF_ENDPOINT` names. token: by default the one that
        `huggingface_hub` keeps. transport: what stands for the network in tests.
        """
        self.gate = gate
        self.patience = patience or Patience()
        self._endpoint = endpoint
        self._token = token
        self._transport = transport

    @property
    def is_offline(self) -> bool:
        """Whether nothing may be asked now."""
        return not self.gate.is_open

    def use_token(self, token: str) -> None:
        """Go on with a token that a person gave, and keep it where `huggingface_hub` looks; raises OSError."""
        from huggingface_hub import constants

        path = Path(constants.HF_TOKEN_PATH)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, token.strip().encode())
        self._token = token.strip()

    def look(self, repo: str, revision: str = "main") -> Listing:
        """What a repository holds at a revision, of the files that a model needs: exact sizes, what they hash to."""
        repo = _checked_repo(repo)
        if not _REVISION.fullmatch(revision) or ".." in revision or len(revision) > 200:
            raise NotFound(f"“{one_line(revision)}” is no name of a revision. Use a branch, a tag or a commit.")
        page = f"{self._address}/{repo}"
        address = f"{self._address}/api/models/{repo}/revision/{quote(revision, safe='')}?blobs=true"
        told = self._connection().read(address, page, MOST_OF_LISTING)
        try:
            found = msgspec.json.decode(told, type=_Repository)
        except msgspec.MsgspecError as error:  # a portal of a hotel answers 200 to everything
            raise NotFound(
                "The answer is not a listing of the hub's. Check whether a proxy or a sign-in page stands between."
            ) from error
        return _listing(found, revision, self._address)

    def card(self, listing: Listing) -> str:
        """What the makers write about it, as Markdown; empty where they write nothing."""
        from huggingface_hub import hf_hub_url

        address = hf_hub_url(listing.repo, "README.md", revision=listing.commit, endpoint=self._address)
        try:
            told = self._connection().read(address, listing.page, MOST_OF_CARD).decode(errors="replace")
        except NotFound:
            return ""
        _, fence, text = told.partition("\n---\n")
        return (text if fence and told.startswith("---\n") else told).strip()

    @contextmanager
    def stream(self, listing: Listing, file: RemoteFile, start: int = 0, tag: str = "") -> Iterator[httpx2.Response]:
        """A file's bytes from `start` on, if it is still the one that had this ETag; else (200) all of them.

        Raises as `Connection.get` does.
        """
        from huggingface_hub import hf_hub_url

        address = hf_hub_url(listing.repo, file.name, revision=listing.commit, endpoint=self._address)
        headers = {}
        if start:
            headers["Range"] = f"bytes={start}-"
            if tag:
                headers["If-Range"] = tag
        with self._connection().get(address, listing.page, headers) as response:
            yield response

    @property
    def _address(self) -> str:
        from huggingface_hub import constants

        return (self._endpoint or constants.ENDPOINT).rstrip("/")

    def _connection(self) -> Connection:
        token = self._token or _kept_token()
        return Connection(self.gate, self._address, token, self.patience, self._transport)


def _checked_repo(repo: str) -> str:
    if not _REPO.fullmatch(repo) or "--" in repo or ".." in repo:
        raise NotFound(f"“{one_line(repo)}” is no name of a repository. Write it like mlx-community/name.")
    return repo


def _kept_token() -> str | None:
    """The person's own, from where `huggingface_hub` keeps it. The library's way to it may open a connection."""
    from huggingface_hub import constants

    token = os.environ.get("HF_TOKEN", "")
    if not token.strip():
        try:
            token = Path(constants.HF_TOKEN_PATH).read_text(encoding="ascii", errors="replace")[:1000]
        except OSError:
            return None
    token = token.strip()
    return token if token.isascii() and token.isprintable() and token else None


def _listing(found: _Repository, revision: str, address: str) -> Listing:
    if not _COMMIT.fullmatch(found.sha) or len(found.siblings) > MOST_FILES:
        raise _no_model(found.id, "its listing makes no sense")
    repo = _checked_repo(found.id)
    files = tuple(_remote_file(entry, repo) for entry in found.siblings if _NEEDED.fullmatch(entry.rfilename))
    names = [file.name.casefold() for file in files]
    if len(set(names)) < len(names):
        raise _no_model(repo, "two of its files have the same name")
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        raise _no_model(repo, "it holds no config.json or no safetensors")
    card = found.card_data or {}
    return Listing(
        repo, revision, found.sha, files,
        license=_line(card.get("license_name")) or _line(card.get("license")),
        license_page=_line(card.get("license_link")),
        page=f"{address}/{repo}",
        is_gated=bool(found.gated),
    )  # fmt: skip


def _remote_file(entry: _Entry, repo: str) -> RemoteFile:
    size, digest = (entry.lfs.size, entry.lfs.sha256) if entry.lfs else (entry.size, entry.blob_id or "")
    if size is None or not 0 <= size <= MOST_BYTES or not any(kind.fullmatch(digest) for kind in _DIGEST.values()):
        raise _no_model(repo, f"the size or the hash of {entry.rfilename} makes no sense")
    return RemoteFile(entry.rfilename, size, digest)


def _no_model(repo: str, why: str) -> DownloadError:
    return NotFound(f"{one_line(repo)} is no model to download: {one_line(why)}. Choose another repository.")


def _line(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""
