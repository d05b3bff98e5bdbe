"""Uses a built bundle as a person would, from a place that it may not write to, and says what does not work.

    python packaging/check_bundle.py dist/Cabochon              (on a Mac: dist/Cabochon.app)

Every step runs the bundle's one executable with an empty PATH, a home of its own and, where Linux allows it, without a
network. Nothing of the checkout is used but its pictures and sounds.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
HELDOUT = ROOT / "resources" / "sample" / "heldout"
LIMIT_S = 600
"""Only something that hangs takes so long."""


class Failed(Exception):
    """A step did not do what it should."""


class Bundle:
    """The executable, and the surroundings that it is started in."""

    def __init__(self, place: Path, home: Path) -> None:
        self.place, self.home = place, home
        self.executable = place / "Contents" / "MacOS" / "Cabochon" if place.suffix == ".app" else place / "Cabochon"
        self.environment = {"HOME": str(home), "PATH": "", "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(home)}
        self.environment |= {name: os.environ[name] for name in ("CABOCHON_DEVICE",) if name in os.environ}
        alone = ["/usr/bin/unshare", "--net", "--map-root-user"]
        is_possible = sys.platform == "linux" and subprocess.run([*alone, "/bin/true"], check=False).returncode == 0
        self.prefix = alone if is_possible else []

    def command(self, *arguments: object) -> list[str]:
        return [*self.prefix, str(self.executable), *map(str, arguments)]

    def run(self, *arguments: object) -> str:
        """What it prints; raises Failed when it ends badly."""
        run = subprocess.run(
            self.command(*arguments), env=self.environment, cwd=self.home, capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
        if run.returncode != 0:
            raise Failed(f"{' '.join(map(str, arguments))} ended with {run.returncode}: {run.stderr.strip()[-500:]}")
        return run.stdout.strip()


def expect(found: str, wanted: str) -> None:
    if wanted not in found:
        raise Failed(f"{wanted!r} was expected, {found[:200]!r} came")


def works_at_all(bundle: Bundle) -> None:
    expect(bundle.run("--version"), "cabochon ")
    expect(bundle.run("selftest"), "\nok")


def reads_a_picture(bundle: Bundle) -> None:
    expect(bundle.run("ocr", ROOT / "docs" / "hello.png").lower(), "hello")
    expect(bundle.run("ask", "What does it say?", "--image", ROOT / "docs" / "hello.png").lower(), "hello")


def reads_a_photo_of_a_phone(bundle: Bundle) -> None:
    expect(bundle.run("ocr", ROOT / "tests" / "data" / "hello.heic"), "HELLO 2026")


def writes_and_reads_a_pdf(bundle: Bundle) -> None:
    out = bundle.home / "out"
    bundle.run("ocr", ROOT / "docs" / "hello.png", "--as", "pdf", "--out", out)
    (written,) = out.glob("*.pdf")
    expect(bundle.run("ocr", written, "--way", "layer").lower(), "hello")


def hears_a_sound(bundle: Bundle) -> None:
    said = json.loads((HELDOUT / "clips.json").read_text(encoding="utf-8"))["clip-0.wav"]
    expect(bundle.run("ask", "What do you hear?", "--audio", HELDOUT / "clip-0.wav", "--temperature", "0"), said)


def hears_a_compressed_sound(bundle: Bundle) -> None:
    """FFmpeg works with empty libraries in place of its encoders."""
    import av

    said = json.loads((HELDOUT / "clips.json").read_text(encoding="utf-8"))["clip-0.wav"]
    target = bundle.home / "clip.m4a"
    with av.open(str(HELDOUT / "clip-0.wav")) as source, av.open(str(target), "w") as made:
        stream = made.add_stream("aac", rate=48000, bit_rate=256000)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                made.mux(stream.encode(part))
        for part in resampler.resample(None):
            made.mux(stream.encode(part))
        made.mux(stream.encode(None))
    expect(bundle.run("ask", "What do you hear?", "--audio", target, "--temperature", "0"), said)


def opens_its_window(bundle: Bundle) -> None:
    """The engine is a child of the same executable, a second start hands over and ends, and nothing is left behind."""
    window = subprocess.Popen(
        bundle.command(), env=bundle.environment, cwd=bundle.home, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: engines(bundle) or window.poll() is not None, "an engine")
        if window.poll() is not None:
            raise Failed(f"the window ended at once: {window.stderr.read()[-500:] if window.stderr else ''}")
        bundle.run(ROOT / "docs" / "hello.png")
        if window.poll() is not None:
            raise Failed("the window ended when a file was handed over")
    finally:
        window.terminate()
        window.communicate(timeout=LIMIT_S)
    wait_for(lambda: not engines(bundle), "the engine's end")


def engines(bundle: Bundle) -> list[str]:
    """Commands of its engine processes."""
    listed = subprocess.run(["/bin/ps", "-axww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith(f"{bundle.executable} --engine")]


def wait_for(is_so: Callable[[], object], what: str) -> None:
    end = time.monotonic() + LIMIT_S
    while not is_so():
        if time.monotonic() > end:
            raise Failed(f"{what} did not come in {LIMIT_S} s")
        time.sleep(0.2)


def brings_its_licences(bundle: Bundle) -> None:
    (text,) = [path for path in bundle.place.rglob("resources/licences.txt") if not path.is_symlink()]
    for name in ("Qt: LGPL-3.0-only", "FFmpeg: LGPL-3.0-or-later", "GNU LESSER GENERAL PUBLIC LICENSE", "tokenizers"):
        expect(text.read_text(encoding="utf-8"), name)


STEPS = (
    works_at_all, reads_a_picture, reads_a_photo_of_a_phone, writes_and_reads_a_pdf, hears_a_sound,
    hears_a_compressed_sound, opens_its_window, brings_its_licences,
)  # fmt: skip


def main(place: Path) -> int:
    """1 if something does not work."""
    with tempfile.TemporaryDirectory(prefix="cabochon-bundle-") as folder:
        home, copy = Path(folder) / "home", Path(folder) / place.name
        home.mkdir()
        shutil.copytree(place, copy, symlinks=True)
        for path in sorted(copy.rglob("*"), reverse=True):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
        before = contents(copy)
        bundle, failed = Bundle(copy, home), 0
        for step in STEPS:
            started = time.perf_counter()
            try:
                step(bundle)
                told = "ok"
            except Failed as error:
                failed, told = 1, f"FAILED: {error}"
            print(f"{step.__name__.replace('_', ' '):32} {time.perf_counter() - started:6.1f} s  {told}", flush=True)
        if contents(copy) != before:
            failed = 1
            print("FAILED: it wrote into its own folder")
        for path in (copy, *copy.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    return failed


def contents(place: Path) -> list[tuple[str, int]]:
    """Every file with the time it was changed."""
    return sorted((str(path), os.lstat(path).st_mtime_ns) for path in place.rglob("*"))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
