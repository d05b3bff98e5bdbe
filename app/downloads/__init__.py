"""Models from the Hugging Face hub. Plain Python; the only room that may open a connection, and only when asked.

`Hub.look` says what a repository holds, `Download` brings it to a `Place`, whose `unfinished` tells what was begun.
"""

from app.downloads.checking import check_in_child
from app.downloads.download import Download, fetch
from app.downloads.errors import (
    AlreadyUnderWay,
    DamagedDownload,
    DownloadError,
    HubBusy,
    NeedsAccess,
    NoConnection,
    NotEnoughSpace,
    NotFound,
    PlaceRefused,
    WorksOffline,
)
from app.downloads.gate import Gate
from app.downloads.hub import Hub
from app.downloads.places import HubCache, Place, PlainFolder, Unfinished, default_cache
from app.downloads.transfer import Check, Stop
from app.downloads.values import Listing, Patience, RemoteFile, State, Status

__all__ = [
    "AlreadyUnderWay",
    "Check",
    "DamagedDownload",
    "Download",
    "DownloadError",
    "Gate",
    "Hub",
    "HubBusy",
    "HubCache",
    "Listing",
    "NeedsAccess",
    "NoConnection",
    "NotEnoughSpace",
    "NotFound",
    "Patience",
    "Place",
    "PlaceRefused",
    "PlainFolder",
    "RemoteFile",
    "State",
    "Status",
    "Stop",
    "Unfinished",
    "WorksOffline",
    "check_in_child",
    "default_cache",
    "fetch",
]
