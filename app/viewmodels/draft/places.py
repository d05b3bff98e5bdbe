"""Where what comes into a conversation lies: in the store, or where it goes with the conversation."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.files.pasted import PastedPictures
from app.store import RecordingShelf, Store
from app.viewmodels.draft.preparing import Keep
from engine import MAX_SOUND_SECONDS

__all__ = ["Bind", "Places"]

Bind = Callable[[Sequence[Path], str], Path]
"""One file as it is kept, or the folder of this name in which several are."""


@dataclass(frozen=True)
class Places:
    """One place for each kind of thing, asked anew each time: another conversation may be in front by now."""

    store: Store
    pasted: PastedPictures
    is_temporary: Callable[[], bool]
    """Whether the conversation in front is."""

    def keeper(self) -> Keep:
        """What copies files that are sent."""
        return self.pasted.lend if self.is_temporary() else partial(_keep, self.store)

    def binder(self) -> Bind:
        """What keeps files as one document."""
        return self.pasted.bind if self.is_temporary() else partial(_bind, self.store, self.pasted)

    def shelf(self) -> RecordingShelf | None:
        """What keeps what is said in recordings; None where nothing may be kept."""
        return None if self.is_temporary() else self.store.recordings

    def new_recording(self) -> Path:
        """Where a recording grows."""
        return self.pasted.new_recording() if self.is_temporary() else self.store.recordings.new_path()

    def own_recording(self) -> Path:
        """Where one grows that is no conversation's."""
        return self.pasted.new_recording(is_lent=False) if self.is_temporary() else self.store.recordings.new_path()

    def drafted(self) -> RecordingShelf | None:
        """What keeps what is said in recordings of a draft; None where nothing may be kept."""
        return None if self.is_temporary() else self.store.drafted

    def with_clips(self, path: Path, seconds: float) -> Path:
        """What a model hears at once lies with the clips, which go with the app; on the recorder's thread."""
        if seconds > MAX_SOUND_SECONDS or self.pasted.holds(path):
            return path
        return Path(shutil.move(path, self.pasted.new_recording()))


def _keep(store: Store, path: Path) -> Path:
    try:
        return store.keep_file(path)
    except OSError:
        return path  # the store copies it later, also in a later run


def _bind(store: Store, pasted: PastedPictures, paths: Sequence[Path], name: str) -> Path:
    """Files as the store keeps them, or for this run alone where it cannot."""
    try:
        return store.bind(paths, name)
    except OSError:
        return pasted.bind(paths, name)
