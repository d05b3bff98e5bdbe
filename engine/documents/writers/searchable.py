"""A PDF that can be searched: the original as it is, and the text that was read, invisible, on its pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Page, Pdf, Stream

from engine.documents.writers.glyphless import GlyphlessFont
from engine.documents.writers.old_layer import entries, remove_invisible_text
from engine.documents.writers.text_layer import LayerPage, Sheet, text_layer

__all__ = ["PagesMissing", "add_text_layer", "put_layer"]

_MAX_PARENTS = 64
"""Nodes above a page, in a tree that may lead in circles."""

_DEFAULT_BOX = (0.0, 0.0, 612.0, 792.0)
_SIGNED = 1
"""Of a form's flags."""


class PagesMissing(Exception):
    """The file has fewer pages than were read."""


class _Prepared(NamedTuple):
    page: Page
    resources: Dictionary
    name: str
    content: bytes


def add_text_layer(source: Path, password: str, pages: Sequence[LayerPage], target: BinaryIO) -> str:
    """Write the source with a layer of text on these pages; one sentence where there is something to say.

    What is seen stays as it is, and so do passwords and rights. Raises pikepdf's errors, OSError and PagesMissing.
    """
    with source.open("rb") as file, Pdf.open(file, password=password) as pdf:  # a name may be no Unicode
        if any(page.number > len(pdf.pages) for page in pages):
            raise PagesMissing
        font, num_replaced, num_kept = GlyphlessFont(), 0, 0
        prepared = []
        for told in pages:
            page = pdf.pages[told.number - 1]
            resources = entries(_holder(page, Name.Resources), Name.Resources)
            if told.replaces:
                was_removed = remove_invisible_text(pdf, page, resources)
                num_replaced, num_kept = num_replaced + was_removed, num_kept + (not was_removed)
            prepared.append(_prepare(page, resources, told, font))
        dictionary = font.build(pdf)
        for one in prepared:
            put_layer(pdf, one.page, one.resources, one.content, {one.name: dictionary})
        is_signed = _is_signed(pdf)
        pdf.save(
            target, encryption=True if pdf.is_encrypted else None, object_stream_mode=ObjectStreamMode.preserve,
            fix_metadata_version=False, deterministic_id=not pdf.is_encrypted,
        )  # fmt: skip
    return _note(num_replaced, num_kept, is_signed)


def put_layer(pdf: Pdf, page: Page, resources: Dictionary, content: bytes, fonts: dict[str, Object]) -> None:
    """Put a text layer before everything else of a page, where no state of the page's own can reach it."""
    known = entries(resources, Name.Font)
    for name, font in fonts.items():
        known[f"/{name}"] = font
    resources.Font = known
    page.obj.Resources = resources
    before = page.obj.get(Name.Contents)
    streams = list(before.as_list()) if isinstance(before, Array) else [] if before is None else [before]
    page.obj.Contents = Array([pdf.make_indirect(Stream(pdf, content)), *streams])


def _prepare(page: Page, resources: Dictionary, told: LayerPage, font: GlyphlessFont) -> _Prepared:
    fonts = entries(resources, Name.Font)
    name = next(name for name in map("CbOcr{}".format, range(10_000)) if f"/{name}" not in fonts)
    return _Prepared(page, resources, name, text_layer(told, _sheet(page, told.turned), font, name))


def _sheet(page: Page, turned: int) -> Sheet:
    """What is seen of a page, turned as the file says and then by `turned`."""
    left, bottom, right, top = _box(page, Name.MediaBox) or _DEFAULT_BOX
    crop = _box(page, Name.CropBox)
    if crop is not None:
        seen = max(left, crop[0]), max(bottom, crop[1]), min(right, crop[2]), min(top, crop[3])
        if seen[0] < seen[2] and seen[1] < seen[3]:
            left, bottom, right, top = seen
    rotation = _holder(page, Name.Rotate).get(Name.Rotate)
    by_file = int(rotation) // 90 * 90 if isinstance(rotation, int) else 0
    return Sheet(left, bottom, right, top, (by_file + turned) % 360)


def _box(page: Page, key: Name) -> tuple[float, float, float, float] | None:
    """A rectangle of a page, its sides in order; None where there is none that can be one."""
    found = _holder(page, key).get(key)
    try:
        x0, y0, x1, y1 = map(float, found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    left, right, bottom, top = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    return (left, bottom, right, top) if left < right and bottom < top else None


def _holder(page: Page, key: Name) -> Object:
    """The page, or what is above it in the tree, whichever has such an entry; the page where none has."""
    node: Object | None = page.obj
    for _ in range(_MAX_PARENTS):
        if not isinstance(node, Dictionary):
            break
        if key in node:
            return node
        node = node.get(Name.Parent)
    return page.obj


def _is_signed(pdf: Pdf) -> bool:
    form = pdf.Root.get(Name.AcroForm)
    flags = form.get(Name.SigFlags, 0) if isinstance(form, Dictionary) else 0
    return isinstance(flags, int) and bool(flags & _SIGNED)


def _note(num_replaced: int, num_kept: int, is_signed: bool) -> str:
    """What is to be told about layers that were there, and about a signature that no longer holds."""
    told = []
    if num_replaced:
        told.append(f"The text of an earlier reading was replaced on {_pages(num_replaced)}.")
    if num_kept:
        told.append(f"The text of an earlier reading could not be taken out of {_pages(num_kept)}: both are found.")
    if is_signed:
        told.append("The original is signed; the copy with its text is not.")
    return " ".join(told)


def _pages(number: int) -> str:
    return "1 page" if number == 1 else f"{number} pages"
