"""Looks a Mac bundle over, or the wheels that it will be made of, and says what would go wrong on a person's Mac.

python -m bundling.audit dist/Cabochon.app          the finished app
python -m bundling.audit --wheels FOLDER            site-packages of the Mac, unpacked anywhere
"""

import plistlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from bundling.contents import is_left_out
from bundling.encoders import is_encoder
from bundling.licences import licence_of_library
from bundling.macho import Slice, find_libraries, read_slices

__all__ = ["BUDGET_BYTES", "problems_of_app", "problems_of_wheels", "sizes"]

FLOOR = (14, 0)
BUDGET_BYTES = 400_000_000

M5_KERNELS_BYTES = 70_000_000
"""By which the build for macOS 26 is larger."""

LATER_THAN_SAID = {"PySide6": (15, 0), "shiboken6": (15, 0)}
"""Whose libraries name the SDK they were built with; what they call is there in 14.0, as the window's start proves."""

_SYSTEM = ("/usr/lib/", "/System/Library/")
_RELATIVE = ("@loader_path", "@executable_path", "@rpath")

Check = Callable[[Path], Iterator[str]]


def problems_of_app(app: Path) -> list[str]:
    """One line for each thing that is wrong with a finished Cabochon.app; none if all is well."""
    checks: tuple[Check, ...] = (
        _one_architecture, _minimum_systems, _rpaths, _needed_libraries, _names, _kernels, _metadata, _left_out,
        _licences, _encoders, _links, _size,
    )  # fmt: skip
    return [line for check in checks for line in check(app)]


def problems_of_wheels(folder: Path) -> list[str]:
    """The same of unpacked wheels, of which PyInstaller takes the arm64 half, without what is left out and rpaths."""
    checks: tuple[Check, ...] = (
        _has_arm64,
        _minimum_systems,
        _needed_libraries,
        _names,
        _kernels,
        _metadata,
        _licences,
        _size,
    )
    return [line for check in checks for line in check(folder)]


def sizes(root: Path) -> list[tuple[int, str]]:
    """Bytes by package, largest first."""
    found: dict[str, int] = {}
    for path in _files(root):
        parts = [part for part in path.relative_to(root).parts if part not in ("Contents", "Frameworks", "Resources")]
        size = _arm64_bytes(path)
        found[parts[0]] = found.get(parts[0], 0) + size
    return sorted(((size, name) for name, size in found.items()), reverse=True)


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and not is_left_out(_inside(root, path)):
            yield path


def _inside(root: Path, path: Path) -> PurePath:
    """The path as the bundle's contents have it."""
    parts = path.relative_to(root).parts
    if parts[0] == "Contents":
        parts = parts[2:] or parts
    return PurePath(*parts)


def _libraries(root: Path) -> Iterator[tuple[str, Path, list[Slice]]]:
    for path in find_libraries(root):
        if not is_left_out(_inside(root, path)):
            yield str(path.relative_to(root)), path, read_slices(path)


def _arm64_bytes(path: Path) -> int:
    slices = len(read_slices(path))
    return path.stat().st_size // slices if slices else path.stat().st_size


def _one_architecture(root: Path) -> Iterator[str]:
    for name, _, slices in _libraries(root):
        if [each.architecture for each in slices] != ["arm64"]:
            yield f"{name}: has {', '.join(each.architecture for each in slices)} instead of arm64 alone"


def _has_arm64(root: Path) -> Iterator[str]:
    for name, _, slices in _libraries(root):
        if "arm64" not in (each.architecture for each in slices):
            yield f"{name}: has no arm64"


def _promised(root: Path) -> tuple[int, int]:
    """The minimum system that the app names; ours, where nothing is named."""
    try:
        said = plistlib.loads((root / "Contents" / "Info.plist").read_bytes())["LSMinimumSystemVersion"]
    except FileNotFoundError:
        return FLOOR
    major, minor = map(int, said.split("."))
    return major, minor


def _minimum_systems(root: Path) -> Iterator[str]:
    promised = _promised(root)
    for name, _, slices in _libraries(root):
        later = next((most for part, most in LATER_THAN_SAID.items() if part in PurePath(name).parts), FLOOR)
        allowed = max(later, promised)
        for each in slices:
            if each.architecture == "arm64" and (each.minimum_system is None or each.minimum_system > allowed):
                said = "no system" if each.minimum_system is None else "macOS {}.{}".format(*each.minimum_system)
                yield f"{name}: needs {said}, and we promise {promised[0]}.{promised[1]}"


def _rpaths(root: Path) -> Iterator[str]:
    for name, _, slices in _libraries(root):
        for rpath in {rpath for each in slices for rpath in each.rpaths if not rpath.startswith(_RELATIVE)}:
            yield f"{name}: looks for libraries in {rpath}, a place of the machine that built it"


def _needed_libraries(root: Path) -> Iterator[str]:
    there = {path.name for path in _files(root)}
    for name, _, slices in _libraries(root):
        for needed in {needed for each in slices for needed in each.needs if not needed.startswith(_SYSTEM)}:
            if not needed.startswith(_RELATIVE):
                yield f"{name}: needs {needed}, which only the machine that built it has"
            elif PurePath(needed).name not in there:
                yield f"{name}: needs {needed}, which is not in the bundle"


def _names(root: Path) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, path, _ in _libraries(root):
        if path.suffix == ".dylib" and path.name in seen:  # all are linked at the root under their own names
            yield f"{name}: has the name of {seen[path.name]}, and only one of them can be found"
        seen.setdefault(path.name, name)


def _kernels(root: Path) -> Iterator[str]:
    libraries = list(root.rglob("libmlx.dylib"))
    if not libraries:
        yield "libmlx.dylib is missing"
    for library in libraries:
        if not (library.parent / "mlx.metallib").exists():
            yield f"{library.relative_to(root)}: mlx.metallib does not lie beside it"


def _metadata(root: Path) -> Iterator[str]:
    if not any(root.rglob("llguidance-*.dist-info/METADATA")):
        yield "llguidance's metadata is missing: it asks for its own version when it is imported"


def _left_out(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_file() and is_left_out(_inside(root, path)):
            yield f"{path.relative_to(root)}: was to be left out"


def _licences(root: Path) -> Iterator[str]:
    for name, path, _ in _libraries(root):
        if path.suffix == ".dylib" and licence_of_library(path.relative_to(root)) is None:
            yield f"{name}: is not on the list of licences"


def _encoders(root: Path) -> Iterator[str]:
    for name, path, _ in _libraries(root):
        if is_encoder(path.name) and path.stat().st_size > 200_000:
            yield f"{name}: is a whole encoder under the GPL"


def _links(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_symlink() and (path.readlink().is_absolute() or not path.exists()):
            yield f"{path.relative_to(root)}: leads to {path.readlink()}"


def _size(root: Path) -> Iterator[str]:
    total = sum(size for size, _ in sizes(root))
    budget = BUDGET_BYTES + M5_KERNELS_BYTES * (_promised(root) > FLOOR)
    if total > budget:
        yield f"{total / 1e6:.0f} MB in all, more than {budget / 1e6:.0f}"


def main(arguments: list[str]) -> int:
    """Print sizes and problems; 1 if there are any."""
    is_wheels = arguments[:1] == ["--wheels"]
    root = Path(arguments[-1])
    for size, name in sizes(root)[:25]:
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{sum(size for size, _ in sizes(root)) / 1e6:8.1f} MB  in all")
    problems = problems_of_wheels(root) if is_wheels else problems_of_app(root)
    print("\n".join(problems) or "No problem found.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
