"""The Hugging Face hub: what a repository holds at a revision, its card, and the bytes of its files."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from app.downloads.errors import DownloadError, NotFound, refusal_of_place
from app.downloads.gate import Gate
from app.downloads.values import Listing, Patience, RemoteFile, RepositoryName, RevisionName
from engine import one_line, write_whole

if TYPE_CHECKING:
    import httpx2

    from app.downloads.connection import Connection

__all__ = ["Hub"]

MOST_OF_LISTING = 16 << 20
MOST_OF_CARD = 1 << 20
_MOST_OF_TOKEN = 1000


class _Large(msgspec.Struct):
    sha256: str
    size: int


class _Entry(msgspec.Struct, rename="camel"):
    rfilename: str
    size: int | None = None
    blob_id: str | None = None
    lfs: _Large | None = None


class _Repository(msgspec.Struct, rename="camel"):
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
        transport: "httpx2.BaseTransport | None" = None,
    ) -> None:
        """endpoint: by default the hub, or whatever `HF_ENDPOINT` names. token: by default the one that
        `huggingface_hub` keeps. transport: what stands for the network in tests.
        """
        self.gate = gate
        self.patience = patience or Patience()
        self._endpoint = endpoint
        self._token = token
        self._transport = transport

    def use_token(self, token: str) -> None:
        """Go on with a token that a person gave, and keep it where `huggingface_hub` looks; raises DownloadError."""
        from huggingface_hub import constants

        said = _as_token(token)
        if said is None:
            raise DownloadError("This is no token. Copy it from huggingface.co/settings/tokens; it begins with hf_.")
        path = Path(constants.HF_TOKEN_PATH)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, said.encode())
        except OSError as error:
            raise refusal_of_place(error, path.parent) from error
        self._token = said

    def look(self, repo: str, revision: str = "main") -> Listing:
        """What a repository holds at a revision, of the files that a model needs: exact sizes, what they hash to.

        Its listing has the name that was asked for, also where the hub leads to another one since.
        """
        if not _is(RepositoryName, repo):
            raise NotFound(f"“{one_line(repo)}” is no name of a repository. Write it like mlx-community/name.")
        if not _is(RevisionName, revision):
            raise NotFound(f"“{one_line(revision)}” is no name of a revision. Use a branch, a tag or a commit.")
        page = f"{self._address}/{repo}"
        address = f"{self._address}/api/models/{repo}/revision/{quote(revision, safe='')}?blobs=true"
        told = self._connection().read(address, page, MOST_OF_LISTING)
        try:
            found = msgspec.json.decode(told, type=_Repository)
        except (msgspec.MsgspecError, RecursionError) as error:  # a portal of a hotel answers 200 to everything
            raise NotFound(
                "The answer is not a listing of the hub's. Check whether a proxy or a sign-in page stands between."
            ) from error
        return _listing(found, repo, revision, page)

    def card(self, listing: Listing) -> str:
        """What the makers write about it, as Markdown; empty where they write nothing."""
        try:
            told = (
                self._connection()
                .read(self._file(listing, "README.md"), listing.page, MOST_OF_CARD)
                .decode(errors="replace")
            )
        except NotFound:
            return ""
        _, fence, text = told.partition("\n---\n")
        return (text if fence and told.startswith("---\n") else told).strip()

    @contextmanager
    def stream(self, listing: Listing, file: RemoteFile, start: int = 0, tag: str = "") -> Iterator["httpx2.Response"]:
        """A file's bytes from `start` on, if it is still the one that had this ETag; else (200) all of them.

        Raises as `Connection.get` does.
        """
        headers = {}
        if start:
            headers["Range"] = f"bytes={start}-"
            if tag:
                headers["If-Range"] = tag
        with self._connection().get(self._file(listing, file.name), listing.page, headers) as response:
            yield response

    @property
    def _address(self) -> str:
        from huggingface_hub import constants

        return (self._endpoint or constants.ENDPOINT).rstrip("/")

    def _file(self, listing: Listing, name: str) -> str:
        """Its address at the commit of the listing; nothing in one needs to be escaped."""
        return f"{self._address}/{listing.repo}/resolve/{listing.commit}/{name}"

    def _connection(self) -> "Connection":
        from app.downloads.connection import Connection

        token = self._token or _kept_token()
        return Connection(self.gate, self._address, token, self.patience, self._transport)


def _is(kind: Any, value: object) -> bool:
    """Whether a value is one of this kind."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _kept_token() -> str | None:
    """The person's own, from where `huggingface_hub` keeps it. The library's way to it may open a connection."""
    from huggingface_hub import constants

    token = os.environ.get("HF_TOKEN", "")
    if not token.strip():
        try:
            with Path(constants.HF_TOKEN_PATH).open(encoding="utf-8", errors="replace") as file:
                token = file.read(_MOST_OF_TOKEN)
        except OSError:
            return None
    return _as_token(token)


def _as_token(text: str) -> str | None:
    """What can be sent as one."""
    token = text.strip()
    return token if re.fullmatch(r"[A-Za-z0-9._~+/=-]{1,1000}", token) else None


def _listing(found: _Repository, repo: str, revision: str, page: str) -> Listing:
    """Of what is told, what a model needs, if it makes sense; raises NotFound."""
    card = found.card_data or {}
    told = {
        "repo": repo,
        "revision": revision,
        "commit": found.sha,
        "files": [_told(entry) for entry in found.siblings if _is_needed(entry.rfilename)],
        "licence": _line(card.get("license_name")) or _line(card.get("license")),
        "licence_page": _line(card.get("license_link")),
        "page": page,
        "is_gated": bool(found.gated),
    }
    try:
        listing = msgspec.convert(told, Listing)
    except msgspec.ValidationError as error:
        raise _no_model(repo, str(error)) from error
    names = [file.name.casefold() for file in listing.files]
    if len(set(names)) < len(names):
        raise _no_model(repo, "two of its files have the same name")
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        raise _no_model(repo, "it holds no config.json or no safetensors")
    return listing


def _is_needed(name: str) -> bool:
    return _is(RemoteFile, {"name": name, "size_bytes": 0, "digest": "0" * 40})


def _told(entry: _Entry) -> dict[str, Any]:
    size, digest = (entry.lfs.size, entry.lfs.sha256) if entry.lfs else (entry.size, entry.blob_id)
    return {"name": entry.rfilename, "size_bytes": size, "digest": digest}


def _no_model(repo: str, why: str) -> DownloadError:
    return NotFound(f"{one_line(repo)} is no model to download: {one_line(why)}. Choose another repository.")


def _line(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""
