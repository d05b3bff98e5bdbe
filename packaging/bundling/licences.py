"""Under which licence each library of the bundle is, and their texts in one file."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePath

__all__ = ["LIBRARIES", "all_texts", "licence_of_library", "licence_of_package"]

LIBRARIES: Mapping[str, tuple[str, str]] = {
    "FLAC|ogg|vorbis|vorbisenc|opus": ("Xiph.Org", "BSD-3-Clause"),
    "SvtAv1Enc": ("SVT-AV1", "BSD-3-Clause-Clear"),
    "Xau|xcb(-shape|-shm|-xfixes)?": ("X.Org", "MIT"),
    "asound": ("ALSA", "LGPL-2.1-or-later"),
    "av(codec|device|filter|format|util)|sw(resample|scale)": ("FFmpeg", "LGPL-3.0-or-later"),
    "avif": ("libavif", "BSD-2-Clause"),
    "blas|lapack": ("LAPACK", "BSD-3-Clause"),
    "brotli(common|dec)": ("Brotli", "MIT"),
    "dav1d": ("dav1d", "BSD-2-Clause"),
    "de265": ("libde265", "LGPL-3.0-or-later"),
    "drm": ("libdrm", "MIT"),
    "freetype": ("FreeType", "FTL"),
    "gfortran|quadmath|gcc_s|gomp": ("GCC's runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "gmp|hogweed|nettle|unistring": ("GNU", "LGPL-3.0-or-later"),
    "gnutls": ("GnuTLS", "LGPL-2.1-or-later"),
    "harfbuzz": ("HarfBuzz", "MIT-Modern-Variant"),
    "heif": ("libheif", "LGPL-3.0-or-later"),
    "jpeg": ("libjpeg-turbo", "IJG AND BSD-3-Clause"),
    "lcms2": ("Little CMS", "MIT"),
    "lzma": ("XZ Utils", "0BSD"),
    "mlx|jaccl": ("MLX", "MIT"),
    "mp3lame": ("LAME", "LGPL-2.0-or-later"),
    "opencore-amr(nb|wb)": ("OpenCORE AMR", "Apache-2.0"),
    "openjp2": ("OpenJPEG", "BSD-2-Clause"),
    "pdfium": ("PDFium", "BSD-3-Clause AND Apache-2.0"),
    "png16": ("libpng", "libpng-2.0"),
    "Qt6.*|Qt[A-Z].*": ("Qt", "LGPL-3.0-only"),
    "qpdf": ("qpdf", "Apache-2.0"),
    "scipy_openblas.*|openblas.*": ("OpenBLAS", "BSD-3-Clause"),
    "sharpyuv|webp|webpdemux|webpmux": ("WebP", "BSD-3-Clause"),
    "sndfile": ("libsndfile", "LGPL-2.1-or-later"),
    "soxr": ("libsoxr", "LGPL-2.1-or-later"),
    "tiff": ("libtiff", "libtiff"),
    "vpl": ("Intel VPL", "MIT"),
    "vpx": ("libvpx", "BSD-3-Clause"),
    "x264|x265": ("empty, of our own: see bundling/encoders.py", "Apache-2.0"),
    "z": ("zlib-ng", "Zlib"),
    "zstd": ("Zstandard", "BSD-3-Clause"),
}
"""Patterns of library names without `lib` and version: whose they are, and their licence."""

_SUFFIX = r"(?:_arm64|_x86_64)?(?:-[0-9a-f]{8})*(?:\.[\w.-]*)?"
"""What may follow a library's name: architecture, a wheel's hash, versions."""

_TEXTS = Path(__file__).parents[1] / "licences"


def licence_of_library(path: PurePath) -> tuple[str, str] | None:
    """Whose a shared library is and under which licence; None if it is not on the list."""
    if not {"PySide6", "shiboken6"}.isdisjoint(path.parts):
        return "Qt", "LGPL-3.0-only"
    return next(
        (told for pattern, told in LIBRARIES.items() if re.fullmatch(rf"(?:lib)?(?:{pattern}){_SUFFIX}", path.name)),
        None,
    )


def licence_of_package(package: Distribution) -> str:
    """As its metadata has it, in one line."""
    told = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    if told and "\n" not in told:
        return told
    classes = [
        line.rsplit("::", 1)[1].strip()
        for line in package.metadata.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    return ", ".join(classes)


def all_texts(names: Iterable[str], libraries: Iterable[PurePath]) -> str:
    """One text: a list of the packages and of the libraries inside them, then the licences in full."""
    packages = [distribution(name) for name in sorted(names)]
    projects = sorted({told for told in map(licence_of_library, libraries) if told})
    lines = ["Cabochon is under the Apache License 2.0. It contains these works of others.", ""]
    lines += [f"{each.metadata['Name']} {each.version}: {licence_of_package(each)}" for each in packages]
    lines += ["", "Libraries inside them:", "", *(f"{whose}: {licence}" for whose, licence in projects)]
    parts = ["\n".join(lines)]
    parts += [f"{each.metadata['Name']}\n\n{text}" for each in packages for text in _texts_of(each)]
    parts += [path.read_text(encoding="utf-8") for path in sorted(_TEXTS.glob("*.txt"))]
    return f"\n\n{'=' * 100}\n\n".join(part.strip() for part in parts) + "\n"


def _texts_of(package: Distribution) -> list[str]:
    files = [
        file
        for file in package.files or []
        if re.search(r"(?i)licen[sc]e|copying|notice", file.name) and file.suffix in ("", ".txt", ".md", ".rst")
    ]
    return [Path(str(file.locate())).read_text(encoding="utf-8", errors="replace") for file in files]
