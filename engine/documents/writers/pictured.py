"""Pictures as the pages of a PDF/A-2b that can be searched. No picture that can stay as it is is packed anew."""

import io
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from PIL import Image, ImageCms

from engine.documents.writers.glyphless import GlyphlessFont
from engine.documents.writers.process import PictureSource
from engine.documents.writers.searchable import put_layer
from engine.documents.writers.text_layer import LayerPage, Sheet, text_layer
from engine.media.attachment import opened_picture, orientation_of
from engine.media.pixels import as_rgb

__all__ = ["write_pictures"]

_LARGEST_PT, _SMALLEST_PT = 14_400.0, 3.0
"""Sides of a page, by the format."""

_PACKED_LOSSILY = ("HEIF", "AVIF", "WEBP")
"""What no PDF can hold, and would be ten times as large without loss."""

_JPEG_QUALITY = 95
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1}
"""Of the colour types that a PDF holds as they are."""

_DEVICE = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}
_SIGNATURES = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}
_PROFILE_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_PROFILE_HEAD_BYTES = 128

_PLACES = {
    1: "{w} 0 0 {h} 0 0",
    2: "-{w} 0 0 {h} {w} 0",
    3: "-{w} 0 0 -{h} {w} {h}",
    4: "{w} 0 0 -{h} 0 {h}",
    5: "0 -{h} -{w} 0 {w} {h}",
    6: "0 -{h} {w} 0 0 {h}",
    7: "0 {h} {w} 0 0 0",
    8: "0 {h} -{w} 0 {w} 0",
}
"""What brings a picture of each EXIF orientation upright and over the page."""


class _Packed(NamedTuple):
    """A picture as a PDF holds it."""

    data: bytes
    width: int
    height: int
    filter: Name
    channels: int
    bits: int = 8
    parameters: Dictionary | None = None
    palette: bytes = b""
    is_inverted: bool = False
    profile: bytes = b""
    orientation: int = 1


def write_pictures(pictures: Sequence[PictureSource], pages: Sequence[LayerPage], title: str, target: BinaryIO) -> str:
    """Write a page for each picture, with its text where it was read; a sentence where there is something to say.

    Raises AttachmentError for a picture and OSError for the place.
    """
    told = {page.number: page for page in pages}
    font, is_archive = GlyphlessFont(), True
    with Pdf.new() as pdf:
        holder = pdf.make_indirect(Dictionary())
        for number, source in enumerate(pictures, 1):
            packed = _pack(Path(os.fsdecode(source.path)), source.frame)
            is_archive = is_archive and (packed.channels != 4 or bool(packed.profile))
            _add_page(pdf, source, packed, told.get(number), font, holder)
        for key, value in font.build(pdf).items():
            holder[key] = value
        _describe(pdf, title, is_archive)
        pdf.save(target, min_version="1.7", deterministic_id=True)
    return "" if is_archive else "It is no PDF/A: a picture has four colours, and does not say which."


def _add_page(
    pdf: Pdf, source: PictureSource, packed: _Packed, told: LayerPage | None, font: GlyphlessFont, holder: Object
) -> None:
    width, height = _page_size(source)
    pdf.add_blank_page(page_size=(width, height))
    page = pdf.pages[-1]
    page.obj.Rotate = source.turned
    resources = Dictionary(XObject=Dictionary(Im0=_image(pdf, packed)))
    place = _PLACES[packed.orientation].format(w=f"{width:.4f}", h=f"{height:.4f}")
    page.obj.Contents = pdf.make_indirect(Stream(pdf, f"q {place} cm /Im0 Do Q".encode()))
    if told is None:
        page.obj.Resources = resources
        return
    layer = text_layer(told, Sheet(0, 0, width, height, source.turned), font, "CbOcr")
    put_layer(pdf, page, resources, layer, {"CbOcr": holder})


def _page_size(source: PictureSource) -> tuple[float, float]:
    scale = min(1.0, _LARGEST_PT / max(source.width_pt, source.height_pt))
    return max(_SMALLEST_PT, source.width_pt * scale), max(_SMALLEST_PT, source.height_pt * scale)


def _image(pdf: Pdf, packed: _Packed) -> Object:
    space: Object = _DEVICE[packed.channels]
    if packed.profile:
        profile = Stream(pdf, packed.profile, N=packed.channels, Alternate=space)
        space = Array([Name.ICCBased, pdf.make_indirect(profile)])
    if packed.palette:
        space = Array([Name.Indexed, space, len(packed.palette) // 3 - 1, packed.palette])
    image = Stream(
        pdf, packed.data, Type=Name.XObject, Subtype=Name.Image, Width=packed.width, Height=packed.height,
        ColorSpace=space, BitsPerComponent=packed.bits, Filter=packed.filter,
    )  # fmt: skip
    if packed.parameters is not None:
        image.DecodeParms = packed.parameters
    if packed.is_inverted:
        image.Decode = Array([1, 0] * packed.channels)
    return pdf.make_indirect(image)


def _pack(path: Path, frame: int) -> _Packed:
    with opened_picture(path) as picture:
        if frame:
            picture.seek(frame)
        profile, orientation = picture.info.get("icc_profile") or b"", orientation_of(picture)
        orientation = orientation if orientation in _PLACES else 1
        kind = picture.format
        picture.load()  # a file that cannot be decoded is refused here
        if kind in ("JPEG", "MPO") and frame == 0 and picture.mode in ("L", "RGB", "CMYK"):
            return _jpeg(path.read_bytes(), picture, profile, orientation)
        if picture.mode == "1":
            return _bilevel(picture)
        png = path.read_bytes() if kind == "PNG" else b""
        packed = _png(png, profile, orientation) if png and not picture.has_transparency_data else None
        return packed or _anew(picture, profile, orientation if kind != "TIFF" else 1)


def _jpeg(data: bytes, picture: Image.Image, profile: bytes, orientation: int) -> _Packed:
    channels = len(picture.getbands())
    is_inverted = channels == 4 and "adobe" in picture.info
    return _Packed(
        data, *picture.size, Name.DCTDecode, channels, is_inverted=is_inverted,
        profile=_valid_profile(profile, channels), orientation=orientation,
    )  # fmt: skip


def _bilevel(picture: Image.Image) -> _Packed:
    """As one strip of fax code, whatever it was packed in; nothing is lost."""
    stream = io.BytesIO()
    picture.save(stream, "TIFF", compression="group4", tiffinfo={278: picture.height})
    with Image.open(stream) as packed:
        tags = packed.tag_v2  # type: ignore[attr-defined]
        start, length, is_white_zero = tags[273][0], tags[279][0], tags[262] == 0
    data = stream.getvalue()[start : start + length]
    parameters = Dictionary(K=-1, Columns=picture.width, Rows=picture.height, BlackIs1=not is_white_zero)
    return _Packed(data, *picture.size, Name.CCITTFaxDecode, 1, bits=1, parameters=parameters)


def _png(data: bytes, profile: bytes, orientation: int) -> _Packed | None:
    """The pixels of a PNG as they are packed; None for an interlaced one, or one of another kind."""
    chunks = _chunks(data)
    width, height = (int.from_bytes(chunks[b"IHDR"][place : place + 4], "big") for place in (0, 4))
    bits, colour, _, _, is_interlaced = chunks[b"IHDR"][8:13]
    if is_interlaced or colour not in _PNG_CHANNELS or bits == 16:
        return None
    channels = _PNG_CHANNELS[colour]
    parameters = Dictionary(Predictor=15, Colors=channels, BitsPerComponent=bits, Columns=width)
    palette = chunks.get(b"PLTE", b"") if colour == 3 else b""
    shown = 3 if palette else channels
    return _Packed(
        chunks[b"IDAT"], width, height, Name.FlateDecode, shown, bits, parameters, palette,
        profile=_valid_profile(profile, shown), orientation=orientation,
    )  # fmt: skip


def _anew(picture: Image.Image, profile: bytes, orientation: int) -> _Packed:
    """The pixels packed without loss, and with a loss that no eye sees where they had been packed so."""
    pixels = picture if picture.mode == "L" else as_rgb(picture)
    stream = io.BytesIO()
    if picture.format in _PACKED_LOSSILY:
        pixels.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        return _jpeg(stream.getvalue(), pixels, profile, orientation)
    pixels.save(stream, "PNG")
    packed = _png(stream.getvalue(), profile, orientation)
    assert packed is not None
    return packed


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG by their names, each with all its parts."""
    chunks: dict[bytes, bytearray] = {}
    place = 8
    while place + 8 <= len(data):
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        chunks.setdefault(name, bytearray()).extend(data[place + 8 : place + 8 + length])
        place += length + 12
    return {name: bytes(content) for name, content in chunks.items()}


def _valid_profile(profile: bytes, channels: int) -> bytes:
    """The profile if it is one for so many channels, as PDF/A wants it."""
    is_valid = (
        len(profile) > _PROFILE_HEAD_BYTES
        and int.from_bytes(profile[:4], "big") == len(profile)
        and profile[16:20] == _SIGNATURES[channels]
        and profile[12:16] in _PROFILE_CLASSES
        and profile[8] <= 4
    )
    return profile if is_valid else b""


def _describe(pdf: Pdf, title: str, is_archive: bool) -> None:
    """Metadata, and what colours mean."""
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = title
        metadata["xmp:CreatorTool"] = "Cabochon"
        if is_archive:
            metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "B"
    profile = Stream(pdf, _undated(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()), N=3)
    intent = Dictionary(
        Type=Name.OutputIntent, S=Name.GTS_PDFA1, OutputConditionIdentifier="sRGB", Info="sRGB",
        DestOutputProfile=pdf.make_indirect(profile),
    )  # fmt: skip
    pdf.Root.OutputIntents = Array([intent])


def _undated(profile: bytes) -> bytes:
    """A colour profile that was made at the beginning of 1980, so that the same pictures are the same file."""
    return profile[:24] + struct.pack(">6H", 1980, 1, 1, 0, 0, 0) + profile[36:]
