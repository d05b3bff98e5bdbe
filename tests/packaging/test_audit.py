"""The audit of a Mac bundle finds each trap, on small made-up bundles."""

import plistlib
from pathlib import Path, PurePath

import pytest
from bundling.audit import problems_of_app, problems_of_wheels, sizes
from bundling.macho import find_libraries, read_slices
from bundling.plist import info_plist, minimum_system

from tests.packaging.mac_files import ARM64, X86_64, macho, universal, write

FRAMEWORKS = "Contents/Frameworks"
METADATA = f"{FRAMEWORKS}/llguidance-1.9.1.dist-info/METADATA"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A bundle in which nothing is wrong."""
    root = write(
        tmp_path / "Cabochon.app",
        {
            "Contents/MacOS/Cabochon": macho(needs=["/usr/lib/libSystem.B.dylib"]),
            f"{FRAMEWORKS}/mlx/lib/libmlx.dylib": macho(rpaths=["@loader_path/.."]),
            f"{FRAMEWORKS}/mlx/core.so": macho(needs=["@rpath/libmlx.dylib"]),
            "Contents/Resources/mlx/lib/mlx.metallib": b"kernels",
            f"{FRAMEWORKS}/av/.dylibs/libx265.216.dylib": macho(),
            f"{FRAMEWORKS}/PySide6/QtCore.abi3.so": macho(system=(15, 0)),
            METADATA: b"Version: 1.9.1",
        },
    )
    frameworks = root / FRAMEWORKS
    (frameworks / "mlx/lib/mlx.metallib").symlink_to("../../../Resources/mlx/lib/mlx.metallib")
    (frameworks / "libmlx.dylib").symlink_to("mlx/lib/libmlx.dylib")
    (frameworks / "mlx.metallib").symlink_to("mlx/lib/mlx.metallib")
    return root


def test_a_whole_bundle_has_no_problem(app: Path) -> None:
    assert problems_of_app(app) == []


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("libz.1.dylib", universal(macho(ARM64), macho(X86_64)), "arm64, x86_64 instead of arm64 alone"),
        ("libz.1.dylib", macho(X86_64), "x86_64 instead of arm64 alone"),
        ("libz.1.dylib", macho(system=(14, 4)), "needs macOS 14.4"),
        ("libz.1.dylib", macho(system=(26, 2)), "needs macOS 26.2"),
        ("PySide6/QtGui.abi3.so", macho(system=(26, 0)), "needs macOS 26.0"),
        ("libz.1.dylib", macho(rpaths=["/tmp/vendor/lib"]), "looks for libraries in /tmp/vendor/lib"),
        ("libz.1.dylib", macho(needs=["/opt/homebrew/lib/libpq.dylib"]), "only the machine that built it has"),
        ("libz.1.dylib", macho(needs=["@rpath/liblost.dylib"]), "is not in the bundle"),
        ("other/libmlx.dylib", macho(), "has the name of"),
        ("other/libmlx.dylib", macho(), "mlx.metallib does not lie beside it"),
        ("PySide6/Qt/plugins/multimedia/libffmpegmediaplugin.dylib", macho(), "was to be left out"),
        ("PySide6/Qt/lib/libavcodec.61.dylib", macho(), "was to be left out"),
        ("PySide6/Qt/lib/QtPdf.framework/Versions/A/QtPdf", macho(), "was to be left out"),
        ("PySide6/Qt/lib/QtWebEngineCore.framework/Versions/A/QtWebEngineCore", macho(), "was to be left out"),
        ("PySide6/QtQml.abi3.so", macho(), "was to be left out"),
        ("libunheardof.1.dylib", macho(), "is not on the list of licences"),
        ("av/.dylibs/libx264.165.dylib", macho().ljust(300_000), "is a whole encoder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_trap_is_told(app: Path, name: str, content: bytes, told: str) -> None:
    write(app / FRAMEWORKS, {name: content})
    problems = problems_of_app(app)
    assert [line for line in problems if PurePath(name).name in line and told in line], problems


@pytest.mark.parametrize("name", ["mlx.metallib", "mlx/lib/mlx.metallib"])
def test_kernels_lie_beside_every_name_of_their_library(app: Path, name: str) -> None:
    (app / FRAMEWORKS / name).unlink()
    assert any("mlx.metallib does not lie beside it" in line for line in problems_of_app(app))


def test_missing_metadata_and_dead_links_are_told(app: Path) -> None:
    (app / METADATA).unlink()
    (app / FRAMEWORKS / "libaway.dylib").symlink_to("/Users/builder/libaway.dylib")
    problems = problems_of_app(app)
    assert any("llguidance" in line for line in problems)
    assert any("/Users/builder" in line for line in problems)


def test_the_size_has_a_budget_and_a_list(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(app / FRAMEWORKS, {"numpy/large.bin": bytes(5000)})
    assert sizes(app)[0] == (5000, "numpy")
    monkeypatch.setattr("bundling.audit.BUDGET_BYTES", 5000)
    assert any("MB in all" in line for line in problems_of_app(app))


def test_the_build_for_the_m5_may_need_the_system_that_it_names(app: Path) -> None:
    write(app / FRAMEWORKS, {"mlx/lib/libmlx.dylib": macho(system=(26, 2), rpaths=["@loader_path/.."])})
    assert any("needs macOS 26.2" in line for line in problems_of_app(app))
    told = info_plist("1.0", minimum_system("Tag: py3-none-macosx_26_0_arm64"))
    write(app, {"Contents/Info.plist": plistlib.dumps(told)})
    assert problems_of_app(app) == []


def test_of_wheels_only_what_is_taken_counts(tmp_path: Path) -> None:
    both = universal(macho(ARM64), macho(X86_64))
    files = {
        "mlx/lib/libmlx.dylib": macho(), "mlx/lib/mlx.metallib": b"kernels",
        "llguidance-1.9.1.dist-info/METADATA": b"", "PySide6/QtCore.abi3.so": both,
        "PySide6/QtQuick.abi3.so": macho(X86_64), "hf_xet/hf_xet.abi3.so": macho(X86_64),
        "PIL/.dylibs/libjpeg.62.4.0.dylib": macho(rpaths=["/Users/builder/lib"]),
    }  # fmt: skip
    root = write(tmp_path, files)
    assert problems_of_wheels(root) == []
    assert {name: size for size, name in sizes(root)}["PySide6"] == len(both) // 2
    write(root, {"pikepdf/.dylibs/libjpeg.62.4.0.dylib": macho(), "soxr/soxr.so": macho(X86_64)})
    assert [line.partition(":")[0] for line in problems_of_wheels(root)] == [
        "soxr/soxr.so", "pikepdf/.dylibs/libjpeg.62.4.0.dylib",
    ]  # fmt: skip


def test_headers_of_libraries_are_read(tmp_path: Path) -> None:
    made = universal(macho(X86_64), macho(ARM64, (13, 3), ["@loader_path/lib"], ["@rpath/liba.dylib"]))
    path = write(tmp_path, {"lib.dylib": made}) / "lib.dylib"
    _, found = read_slices(path)
    assert (found.architecture, found.minimum_system) == ("arm64", (13, 3))
    assert (found.rpaths, found.needs) == (["@loader_path/lib"], ["@rpath/liba.dylib"])


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\xca\xfe\xba\xbe\0\0\0\x34", universal(b"!<arch>\n")])
def test_other_files_are_no_libraries(tmp_path: Path, content: bytes) -> None:
    assert list(find_libraries(write(tmp_path, {"file": content}))) == []


def test_a_cut_off_library_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path, {"lib.dylib": macho(rpaths=["@loader_path"])[:-8]}) / "lib.dylib"
    with pytest.raises(ValueError, match="cut off"):
        read_slices(path)
