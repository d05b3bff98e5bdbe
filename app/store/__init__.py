"""What is kept of the conversations: a SQLite file and a folder of attachments. Plain Python; knows no Qt, no model.

`Store` is the only way in. Everything happens on its own thread; whoever calls it never waits.
"""

from app.store.recordings import MadeRecording, RecordingShelf
from app.store.sayings import Matter, Saying
from app.store.shelf import DocumentShelf
from app.store.states import StateFolders
from app.store.store import Store
from app.store.text import MATCH_BEGIN, MATCH_END
from app.store.tree import sound_parents
from app.store.values import (
    BESIDE_QUEUE,
    Answered,
    Conversation,
    Costs,
    Details,
    DocumentState,
    Draft,
    Edit,
    Hit,
    KeptDocument,
    KeptPage,
    Offer,
    Orders,
    PageHit,
    Stamp,
    Summary,
    Turn,
    TurnState,
    Visit,
)

__all__ = [
    "BESIDE_QUEUE",
    "MATCH_BEGIN",
    "MATCH_END",
    "Answered",
    "Conversation",
    "Costs",
    "Details",
    "DocumentShelf",
    "DocumentState",
    "Draft",
    "Edit",
    "Hit",
    "KeptDocument",
    "KeptPage",
    "MadeRecording",
    "Matter",
    "Offer",
    "Orders",
    "PageHit",
    "RecordingShelf",
    "Saying",
    "Stamp",
    "StateFolders",
    "Store",
    "Summary",
    "Turn",
    "TurnState",
    "Visit",
    "sound_parents",
]
