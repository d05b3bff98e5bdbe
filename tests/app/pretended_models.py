"""Models that are only pretended: a family, a disk, and a hub that hands out a download as a test says."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app.downloads import Listing, RemoteFile, State, Status
from app.viewmodels.models.manager import Supply
from app.viewmodels.models.remote import Begun, Offer
from engine import CATALOG, CatalogModel, EngineError, Fit, FoundModel, LayerShape, Lever, Machine, Shapes, Use, Weights
from engine.protocol.models import AudioShape, VisionShape

GB = 10**9
CONFIG = '{"model_type": "gemma4"}'
HANG_S = 60
"""What only a test that hangs reaches."""
LICENCE = "https://ai.google.dev/gemma/docs/gemma_4_license"
CARD = (
    "# Gemma 4 E4B\n\nA small model that reads pictures, hears sound and thinks before it answers. Converted to MLX "
    "with 4-bit weights.\n\n| | |\n|---|---|\n| parameters | 8.0 billion |\n| context | 131,072 tokens |\n\n"
    "## Intended use\n\n- reading documents and photographs\n- writing down speech\n- conversations in 140 "
    "languages\n\n![a picture that is never fetched](https://example.com/gemma.png)"
)


def shapes(num_bytes: int, *, hears: bool = True) -> Shapes:
    """A model whose weights take so much."""
    vision = VisionShape(768, 3072, 12, 64, 9, 768)
    audio = AudioShape(1024, 8, 13, (128, 32)) if hears else None
    layers = (LayerShape(35, True, True, 256, 1, 6144),)
    return Shapes(1536, 262_144, 8, 512, 131_072, 256, layers, Weights(num_bytes), vision=vision, audio=audio)


def model(size: str, form: str, gigabytes: float, good_for: str, *, hears: bool = True) -> CatalogModel:
    """A member of the family, as a conversion."""
    name = f"mlx-community/gemma-4-{size.lower()}-it-{form.lower().replace(' ', '-')}"
    return CatalogModel(name, size, form, int(gigabytes * GB), shapes(int(gigabytes * GB), hears=hears), good_for)


FAMILY = (
    model("E2B", "4-bit", 3.58, "Quick answers and clear print, also on the smallest Macs."),
    model("E2B", "8-bit", 5.90, "Quick answers, a little more exact."),
    model("E4B", "4-bit", 5.18, "Documents, photographs, speech and everyday questions."),
    model("E4B", "8-bit", 8.91, "As the 4-bit one, a little more exact."),
    model("12B", "4-bit", 6.77, "Long texts, small print and careful answers."),
    model("26B-A4B", "4-bit", 15.37, "Careful answers at the speed of a small model.", hears=False),
    model("31B", "4-bit", 18.44, "The most careful answers of the family.", hears=False),
)


def fit(shapes: Shapes, machine: Machine, use: Use) -> Fit:
    """Weights, a tenth of a megabyte for each position, a gigabyte beside."""
    context, available = use.context * 100_000, machine.working_set_bytes
    weights = shapes.text.packed_bytes
    needed = weights + context + GB
    if needed <= 0.7 * available:
        return Fit("fits", weights, context, 0, GB, available)
    if needed <= available:
        return Fit("tight", weights, context, 0, GB, available)
    saved = context - 4096 * 100_000
    lever = Lever(
        f"4K instead of {use.context // 1024}K saves {saved / GB:.1f} GB", saved, needed - saved <= available, Use(4096)
    )
    return Fit("too_big", weights, context, 0, GB, available, (lever,) if saved > 0 else ())


def recommended(machine: Machine) -> CatalogModel | None:
    """The largest size that fits with room."""
    able = [each for each in FAMILY if fit(each.shapes, machine, Use()).verdict == "fits" and each.form == "4-bit"]
    return able[-1] if able else None


def found(path: Path, size: str = "E4B", form: str = "4-bit affine, group 64", gigabytes: float = 5.18) -> FoundModel:
    """A model on the disk, as a folder of a test pretends it."""
    path.mkdir(parents=True, exist_ok=True)
    if not (path / "config.json").exists():
        (path / "config.json").write_text(CONFIG)
    num_bytes = int(gigabytes * GB)
    return FoundModel(str(path), "folder", path.name, "", size, form, num_bytes, shapes(num_bytes), is_model=True)


class PretendedDisk:
    """What is found: what a test put there, as long as its folder is."""

    def __init__(self, *models: FoundModel, remote: "PretendedRemote | None" = None) -> None:
        self.models = list(models)
        self.remote = remote or PretendedRemote()
        self.asked: list[list[Path]] = []

    def find(self, folders: Sequence[Path], is_stopped: Callable[[], bool]) -> list[FoundModel]:
        """Look there."""
        self.asked.append(list(folders))
        return [each for each in self.models if Path(each.path).exists()]

    @property
    def supply(self) -> Supply:
        """The family and this disk."""
        return Supply(FAMILY, recommended, fit, self.find, self.remote)


class PretendedDownload:
    """Goes as far as the test says."""

    def __init__(self, listing: Listing, tell: Callable[[Status], None], done_bytes: int) -> None:
        self.listing = listing
        self._tell = tell
        self.done_bytes = done_bytes
        self.is_deleted = False
        self.has_begun = False

    def start(self) -> None:
        self.has_begun = True
        self.say(State.WORKING)

    def pause(self) -> None:
        self.say(State.PAUSED)

    def cancel(self, *, deletes: bool) -> None:
        self.is_deleted = deletes

    def wait(self) -> None:
        pass

    def say(self, state: State, **values: object) -> None:
        """Tell how it goes."""
        self._tell(Status(state, self.done_bytes, self.listing.size_bytes, **values))  # type: ignore[arg-type]


class PretendedRemote:
    """A hub without a network."""

    def __init__(self, free_bytes: int = 200 * GB, begun: Sequence[Begun] = ()) -> None:
        self.free_bytes = free_bytes
        self.begun = list(begun)
        self.refusal: EngineError | None = None
        self.downloads: dict[str, PretendedDownload] = {}
        self.is_offline = False
        self.tokens: list[str] = []
        self.held: dict[tuple[str, Path | None], threading.Event] = {}
        """What is answered only when a test says so, by repository and root."""

    def hold(self, repository: str, root: Path | None = None) -> threading.Event:
        """Answer what is asked about this only when the event is set."""
        return self.held.setdefault((repository, root), threading.Event())

    def offer(self, repository: str, root: Path | None, token: str = "") -> Offer:
        if token:
            self.tokens.append(token)
            self.refusal = None
        if (repository, root) in self.held:
            assert self.held[repository, root].wait(HANG_S)
        if self.refusal is not None:
            raise self.refusal
        offered = listing(repository)
        return Offer(offered, CARD, self.free_bytes, root, max(0, offered.size_bytes - self.free_bytes))

    def download(self, listing: Listing, root: Path | None, tell: Callable[[Status], None]) -> PretendedDownload:
        before = next((each.done_bytes for each in self.begun if each.listing == listing), 0)
        self.downloads[listing.repo] = PretendedDownload(listing, tell, before)
        return self.downloads[listing.repo]

    def has_begun(self, repository: str) -> bool:
        """Whether a download of it was started."""
        return repository in self.downloads and self.downloads[repository].has_begun

    def unfinished(self, roots: Sequence[Path | None]) -> list[Begun]:
        return self.begun

    def set_offline(self, is_offline: bool) -> None:
        self.is_offline = is_offline


def listing(repository: str) -> Listing:
    """What the hub holds of a model of the family."""
    num_bytes = next(each.download_bytes for each in (*FAMILY, *CATALOG) if each.repository == repository)
    files = (RemoteFile("config.json", 5000, "0" * 40), RemoteFile("model.safetensors", num_bytes - 5000, "0" * 64))
    page = f"https://huggingface.co/{repository}"
    return Listing(repository, "main", "0" * 40, files, "apache-2.0", LICENCE, page)


def nothing() -> Supply:
    """No model anywhere, and none to get."""
    return Supply((), lambda _machine: None, fit, lambda _folders, is_stopped: (), PretendedRemote())
