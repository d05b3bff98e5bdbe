"""Requests to the hub: each passes the gate, stays safe, is bounded, and fails with a sentence."""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import NoReturn

import httpx2

from app.downloads.errors import HubBusy, Interrupted, NeedsAccess, NoConnection, NotFound, Unsatisfiable
from app.downloads.gate import Gate
from app.downloads.values import Patience
from engine import one_line

__all__ = ["Connection"]

MOST_REDIRECTS = 5
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same request may succeed."""

_SECONDS = re.compile(r"([0-9]{1,9})")
_LIMIT = re.compile(r"r=0;t=([0-9]{1,9})")
"""`"api";r=0;t=55`: nothing remains for 55 seconds."""


class Connection:
    """Makes requests. A token is sent to the hub's own host alone, and never over plain HTTP to another machine.

    Proxies and certificates are the system's, as they are at each request.
    """

    def __init__(
        self,
        gate: Gate,
        endpoint: str,
        token: str | None,
        patience: Patience,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises NoConnection for an endpoint that is no address."""
        self._gate = gate
        try:
            self._endpoint = httpx2.URL(endpoint)
        except httpx2.InvalidURL:
            self._endpoint = httpx2.URL()
        if self._endpoint.scheme not in ("https", "http") or not self._endpoint.host:
            raise NoConnection(
                f"“{one_line(endpoint)}” is no address of a hub. Correct HF_ENDPOINT in the environment: https://…"
            )
        self._token = token
        self._patience = patience
        self._transport = transport

    @contextmanager
    def get(self, address: str, page: str, headers: Mapping[str, str] | None = None) -> Iterator[httpx2.Response]:
        """An answer of 200 or 206, whose body is not read yet.

        `page` is where a person can look at what is asked for. Raises DownloadError; Interrupted, also inside the
        block; Unsatisfiable.
        """
        self._gate.check()
        with self._in_words(), self._client() as client, client.stream("GET", address, headers=headers) as response:
            if response.status_code not in (200, 206):
                _refuse(response, page, is_hub=response.url.origin == self._endpoint.origin)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise NoConnection("The hub packs what it sends, unasked. A proxy may do that; try without it.")
            yield response

    def read(self, address: str, page: str, most_bytes: int) -> bytes:
        """A small answer as a whole; raises DownloadError."""
        content = bytearray()
        try:
            with self.get(address, page) as response:
                for piece in response.iter_raw():
                    self._gate.check()
                    content += piece
                    if len(content) > most_bytes:
                        raise NotFound(f"The answer of {self._endpoint.host} is far too long. Try again later.")
        except Interrupted as cut:
            raise cut.failure from cut
        except Unsatisfiable as error:
            raise NotFound(f"{self._endpoint.host} answers in a way nobody understands. Try again later.") from error
        return bytes(content)

    def _client(self) -> httpx2.Client:
        timeout = httpx2.Timeout(self._patience.read_s, connect=self._patience.connect_s)
        headers = {"User-Agent": "Cabochon", "Accept-Encoding": "identity"}
        try:
            return httpx2.Client(
                event_hooks={"request": [self._admit]},
                follow_redirects=True,
                max_redirects=MOST_REDIRECTS,
                timeout=timeout,
                headers=headers,
                transport=self._transport,
                verify=_certificates(),
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise NoConnection(
                f"The proxy of this Mac cannot be used: {one_line(str(error))}. Correct it in the network settings."
            ) from error
        except OSError as error:  # of SSL_CERT_FILE
            raise NoConnection(
                f"The certificates of this Mac cannot be read: {error.strerror or one_line(str(error))}. Correct "
                "SSL_CERT_FILE in the environment."
            ) from error

    def _admit(self, request: httpx2.Request) -> None:
        self._gate.check()
        url = request.url
        if url.scheme != "https" and self._endpoint.scheme == "https":
            raise NoConnection(
                f"The hub sends us to “{one_line(url.host)}” without encryption, which is refused. Try again later."
            )
        request.headers.pop("Authorization", None)
        is_safe = url.scheme == "https" or url.host in LOOPBACK
        if self._token and is_safe and url.origin == self._endpoint.origin:
            request.headers["Authorization"] = f"Bearer {self._token}"

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        host = one_line(self._endpoint.host)
        try:
            yield
        except httpx2.ProxyError as error:
            raise NoConnection(
                f"The proxy refuses the way to {host}: {one_line(str(error))}. Check the network settings."
            ) from error
        except (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            if _is_certificate(error):
                raise NoConnection(
                    f"{host} shows a certificate that this Mac does not trust. Check the date and whether a proxy or "
                    "virus scanner stands between; nothing was sent."
                ) from error
            what = "does not answer" if isinstance(error, httpx2.TimeoutException) else "cannot be reached"
            raise Interrupted(NoConnection(f"{host} {what}. Check the connection to the internet.")) from error
        except httpx2.TooManyRedirects as error:
            raise NoConnection(f"{host} sends us in circles. Try again later.") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoConnection(f"{host} answers in a way nobody understands. Check for a proxy; try later.") from error


@cache
def _certificates() -> ssl.SSLContext:
    """The system's: on a Mac the keychain's, asked at each handshake. To read them takes a tenth of a second."""
    return httpx2.create_ssl_context()


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _refuse(response: httpx2.Response, page: str, *, is_hub: bool) -> NoReturn:
    """Say what an answer means. Its body, which may have no end, is not read: the hub tells what it means in a header.

    An unknown repository and a closed one are the same for a stranger: 401. A storage host, to which the hub leads
    with a signature that expires, refuses for reasons of its own.
    """
    status, code = response.status_code, response.headers.get("X-Error-Code", "")
    what, host = one_line(page.partition("://")[2]), one_line(response.url.host)
    if status in AGAIN or (not is_hub and status in (400, 401, 403)):
        sentence = "asks us to slow down" if status == 429 else f"has trouble of its own ({status})"
        raise Interrupted(HubBusy(f"{host} {sentence}. Try again later."), _seconds_to_wait(response))
    if code == "GatedRepo" or status == 403:
        raise NeedsAccess(
            f"{what} is given to people who accepted its licence. Accept it on its page, then give a token of your "
            "account (huggingface.co/settings/tokens).",
            page,
        )
    if code == "RevisionNotFound":
        raise NotFound(f"{what} has no such revision, or has it no more. Look it up on its page and start again.")
    if code == "EntryNotFound":
        raise NotFound(f"{what} lacks a file that it lists. Start the download again, or choose another repository.")
    if status == 401:
        raise NeedsAccess(
            f"{what} is not there, or is closed to strangers. Check the name; if it is yours or needs a licence, "
            "give a token of your account (huggingface.co/settings/tokens).",
            page,
        )
    if status in (404, 410):
        raise NotFound(f"{what} is not there (any more). Check the name and the revision on its page.")
    if status == 416:
        raise Unsatisfiable
    if status == 407:
        raise NoConnection("The proxy wants a name and a password. Give them in the network settings.")
    raise HubBusy(f"{host} refuses {what} ({status}). Try again later, or choose another repository.")


def _seconds_to_wait(response: httpx2.Response) -> float | None:
    """What the server asks for: Retry-After in seconds (a date is not worth reading), or the hub's own header."""
    asked = _SECONDS.fullmatch(response.headers.get("Retry-After", "").strip())
    asked = asked or _LIMIT.search(response.headers.get("RateLimit", "")[:200])
    return float(asked[1]) if asked else None
