"""What the bundle is made of: Info.plist, icon, licences, what stays out, empty encoders."""

import plistlib
import re
from importlib.metadata import distribution
from pathlib import Path, PurePath

import pytest
from bundling.contents import is_left_out, metallib_links
from bundling.encoders import empty_source, is_encoder
from bundling.icon import SIDES, write_icns
from bundling.licences import all_texts, licence_of_library, licence_of_package
from bundling.mac_wheels import ON_A_MAC, needed, pinned, requirements
from bundling.plist import DOCUMENT_TYPES, info_plist, minimum_system
from packaging.markers import default_environment
from PIL import Image

from app.viewmodels.reading.arrivals import PDF_SUFFIX
from engine import PICTURE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES
from engine.version import VERSION

ROOT = Path(__file__).parents[2]


def test_info_plist_says_who_it_is_what_it_opens_and_why_it_listens() -> None:
    told = plistlib.loads(plistlib.dumps(info_plist(VERSION)))
    assert "cabochon" in told["CFBundleIdentifier"].lower()
    assert told["CFBundleShortVersionString"] == told["CFBundleVersion"] == VERSION
    assert told["LSMinimumSystemVersion"] == "14.0"
    assert told["NSMicrophoneUsageDescription"].endswith("stays on this Mac.")
    assert {each["LSHandlerRank"] for each in told["CFBundleDocumentTypes"]} == {"Alternate"}


@pytest.mark.parametrize(
    ("tag", "system"), [("macosx_14_0_arm64", "14.0"), ("macosx_26_0_arm64", "26.2"), ("", "14.0")]
)
def test_the_minimum_system_is_that_of_the_kernels(tag: str, system: str) -> None:
    assert (
        info_plist(VERSION, minimum_system(f"Wheel-Version: 1.0\nTag: py3-none-{tag}"))["LSMinimumSystemVersion"]
        == system
    )


def test_every_file_that_can_be_read_can_be_opened_from_finder() -> None:
    there = {suffix for types in DOCUMENT_TYPES.values() for suffixes in types.values() for suffix in suffixes}
    assert there == {*PICTURE_SUFFIXES, PDF_SUFFIX, *SOUND_SUFFIXES, *VIDEO_SUFFIXES}


def test_the_only_entitlement_is_the_microphone() -> None:
    told = plistlib.loads((ROOT / "packaging" / "entitlements.plist").read_bytes())
    assert told == {"com.apple.security.device.audio-input": True}


def test_the_icon_has_every_size(tmp_path: Path) -> None:
    write_icns(ROOT / "resources" / "icons" / "app.svg", tmp_path / "Cabochon.icns")
    with Image.open(tmp_path / "Cabochon.icns") as icon:
        sides = {size[0] * size[2] for size in icon.info["sizes"]}
        assert set(SIDES) <= sides
        alpha = icon.convert("RGBA").getchannel("A")
        assert alpha.getextrema() == (0, 255)


@pytest.mark.parametrize(
    "path",
    [
        "mlx/include/mlx/mlx.h", "mlx/core.pyi", "PySide6/Qt/plugins/multimedia/libffmpegmediaplugin.so",
        "PySide6/Qt/plugins/imageformats/libqpdf.so", "PySide6/Qt/plugins/texttospeech/libqtexttospeech_mock.dylib",
        "PySide6/Qt/lib/libavcodec.so.61", "PySide6/QtQml.abi3.so",
        "PySide6/Qt/lib/QtWebEngineCore.framework/Versions/A/QtWebEngineCore", "libQt6Quick.so.6", "QtPdf",
        "PySide6/Qt/translations/qtbase_de.qm", "fsspec/core.py",
    ],
)  # fmt: skip
def test_what_has_no_work_stays_out(path: str) -> None:
    assert is_left_out(PurePath(path))


@pytest.mark.parametrize(
    "path",
    [
        "mlx/lib/mlx.metallib", "PySide6/QtMultimedia.abi3.so", "PySide6/Qt/plugins/platforms/libqcocoa.dylib",
        "PySide6/Qt/lib/QtConcurrent.framework/Versions/A/QtConcurrent", "libQt6Core.so.6", "QtCore", "libmlx.dylib",
        "PySide6/Qt/plugins/imageformats/libqsvg.dylib", "PySide6/libpyside6.abi3.6.11.dylib",
        "pikepdf.libs/libqpdf.so.30", "PySide6/Qt/plugins/texttospeech/libqtexttospeech_speechdarwin.dylib",
        "PySide6/Qt/lib/QtTextToSpeech.framework/Versions/A/QtTextToSpeech", "av/.dylibs/libavcodec.62.28.102.dylib",
    ],
)  # fmt: skip
def test_what_works_stays(path: str) -> None:
    assert not is_left_out(PurePath(path))


def test_kernels_are_linked_beside_the_link_to_their_library() -> None:
    mac = [("mlx/lib/libmlx.dylib", "/x/libmlx.dylib", "BINARY")]
    assert metallib_links(mac) == [("mlx.metallib", "mlx/lib/mlx.metallib", "SYMLINK")]
    assert metallib_links([("mlx/lib/libmlx.so", "/x/libmlx.so", "BINARY")]) == []


def test_the_gpl_encoders_are_told_from_all_else() -> None:
    named = ["libx264-d6533a8d.so.165", "libx265.216.dylib", "libx265-f5385bb8.so.216"]
    assert [is_encoder(name) for name in named] == [True] * 3
    assert not any(map(is_encoder, ["libxcb.1.1.0.dylib", "libSvtAv1Enc.4.1.0.dylib", "libavcodec.62.dylib"]))


def test_an_empty_encoder_has_every_symbol_that_is_asked_for() -> None:
    source = empty_source([("T", "x264_encoder_open_165"), ("R", "x264_levels"), ("T", "x265_api_get_216")])
    assert "long x264_encoder_open_165(void) { return 0; }" in source
    assert "const char x264_levels[4096];" in source
    assert "long x265_api_get_216(void) { return 0; }" in source


def test_every_library_in_a_wheel_that_is_bundled_stands_on_the_list() -> None:
    found = [
        Path(str(file))
        for name in needed(requirements(), default_environment())
        for file in distribution(name).files or []
        if re.search(r"\.libs/|\.dylibs/|_data/lib|raw/lib|mlx/lib/lib", str(file))
        and re.search(r"\.so|\.dylib", file.name)
    ]
    assert len(found) > 30
    assert [path for path in found if licence_of_library(path) is None] == []


def test_every_package_that_is_bundled_says_its_licence_and_its_text_comes_along() -> None:
    names = needed(requirements(), default_environment())
    assert [name for name in sorted(names) if not licence_of_package(distribution(name))] == []
    text = all_texts(names, [PurePath("libavcodec.62.dylib"), PurePath("PySide6/QtCore.so")])
    for wanted in (
        "FFmpeg: LGPL-3.0-or-later",
        "Qt: LGPL-3.0-only",
        "Python Imaging Library",
        "GNU LESSER GENERAL PUBLIC",
    ):
        assert wanted in text


def test_all_that_a_mac_needs_is_pinned() -> None:
    versions = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    names = needed(requirements(), ON_A_MAC)
    assert {"mlx-metal", "pyside6-essentials", "pydantic-core", "pi-heif"} <= names
    assert "mlx-cpu" not in names
    assert [name for name in sorted(names) if name not in versions] == []
