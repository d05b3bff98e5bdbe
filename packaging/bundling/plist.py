"""Info.plist: what macOS knows of the app before it runs."""

import re
from collections.abc import Mapping

__all__ = ["BUNDLE_ID", "DOCUMENT_TYPES", "MINIMUM_SYSTEM", "info_plist", "minimum_system"]

BUNDLE_ID = "org.cabochon.Cabochon"
MINIMUM_SYSTEM = "14.0"

M5_SYSTEM = "26.2"
"""Of the build with the kernels for the M5; its tag says 26.0, its library 26.2."""

DOCUMENT_TYPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Picture": {
        "public.png": (".png",), "public.jpeg": (".jpg", ".jpeg"), "org.webmproject.webp": (".webp",),
        "public.tiff": (".tif", ".tiff"), "com.microsoft.bmp": (".bmp",), "com.compuserve.gif": (".gif",),
        "public.heic": (".heic",), "public.heif": (".heif",), "public.avif": (".avif",),
    },
    "PDF document": {"com.adobe.pdf": (".pdf",)},
    "Folder": {"public.folder": ()},
    "Sound": {
        "com.microsoft.waveform-audio": (".wav",), "org.xiph.flac": (".flac",), "org.xiph.ogg-audio": (".ogg", ".oga"),
        "org.xiph.opus": (".opus",), "public.mp3": (".mp3",), "com.apple.m4a-audio": (".m4a",),
        "public.aac-audio": (".aac",), "public.aiff-audio": (".aif", ".aiff"), "com.apple.coreaudio-format": (".caf",),
    },
    "Video": {
        "public.mpeg-4": (".mp4",), "com.apple.m4v-video": (".m4v",), "com.apple.quicktime-movie": (".mov",),
        "org.matroska.mkv": (".mkv",), "org.webmproject.webm": (".webm",), "public.avi": (".avi",),
        "public.avchd-mpeg-2-transport-stream": (".mts", ".m2ts"),
    },
}  # fmt: skip
"""Kinds of files by the system's names for their types, and the suffixes that each stands for."""

_OF_OTHERS = ("org.", "public.avif")
"""Types that not every system declares: they are said to exist, without a claim to them."""

_CONFORMS = {"Picture": "public.image", "Sound": "public.audio", "Video": "public.movie"}


def minimum_system(kernels: str) -> str:
    """The macOS that MLX's kernels need, by the platform in the tag of their wheel: macosx_14_0_arm64, for example."""
    found = re.search(r"macosx_(\d+)", kernels)
    return M5_SYSTEM if found and int(found[1]) >= 26 else MINIMUM_SYSTEM


def info_plist(version: str, system: str = MINIMUM_SYSTEM) -> dict[str, object]:
    """The keys, for a version such as 0.1.0 and a minimum system.

    Opening files is offered beside the person's own choice and never takes it.
    """
    return {
        "CFBundleName": "Cabochon",
        "CFBundleDisplayName": "Cabochon",
        "CFBundleIdentifier": BUNDLE_ID,
        "CFBundleShortVersionString": version,
        "CFBundleVersion": version,
        "CFBundleIconFile": "Cabochon.icns",
        "CFBundlePackageType": "APPL",
        "CFBundleDevelopmentRegion": "en",
        "NSPrincipalClass": "NSApplication",
        "NSHighResolutionCapable": True,
        "NSSupportsAutomaticTermination": False,
        "NSSupportsSuddenTermination": False,
        "LSMinimumSystemVersion": system,
        "LSArchitecturePriority": ["arm64"],
        "LSApplicationCategoryType": "public.app-category.productivity",
        "NSMicrophoneUsageDescription": "Cabochon listens while you record. What you say stays on this Mac.",
        "ITSAppUsesNonExemptEncryption": False,
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": kind,
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": list(types),
            }
            for kind, types in DOCUMENT_TYPES.items()
        ],
        "UTImportedTypeDeclarations": [
            {
                "UTTypeIdentifier": name,
                "UTTypeConformsTo": [_CONFORMS[kind]],
                "UTTypeTagSpecification": {
                    "public.filename-extension": [suffix.removeprefix(".") for suffix in suffixes]
                },
            }
            for kind, types in DOCUMENT_TYPES.items()
            for name, suffixes in types.items()
            if name.startswith(_OF_OTHERS)
        ],
    }
