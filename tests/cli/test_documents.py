"""`cabochon ocr` as a person uses it, on documents of several pages."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from engine.cli import commands
from engine.cli.kept_pages import KeptPage, KeptPages
from engine.cli.progress import time_left
from engine.documents.names import page_numbers
from engine.documents.source import Document
from engine.protocol.documents import PageInfo, PageReceipt, PageText, Reading, TextLine
from engine.protocol.errors import PromptError
from engine.protocol.events import PageProgress
from engine.tasks.documents import Lend
from engine.tasks.pace import Noted
from tests.cli.conftest import Cabochon
from tests.documents.pages import draw_page
from tests.documents.pdf_files import Page, text, whole_picture, write_pdf

LARGE = draw_page([(80, 200, "Hello 42"), (80, 400, "Total 17")], (800, 1130), 90)


@pytest.fixture
def three_pages(tmp_path: Path) -> Path:
    pages = [Page(text("First page")), Page(text("Second page")), Page(text("Third page"))]
    return write_pdf(tmp_path / "a.pdf", pages)


def test_pages_of_a_document_come_one_after_the_other(cabochon: Cabochon, three_pages: Path) -> None:
    run = cabochon("ocr", three_pages, "--pages", "3,1-2")
    assert (run.returncode, run.stdout) == (0, "Third page\nFirst page\nSecond page\n")
    assert "sample" not in run.stderr  # no model was needed


def test_a_scan_is_read_and_a_text_layer_taken(cabochon: Cabochon, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("Printed")), Page(whole_picture(), picture=LARGE)])
    run = cabochon("ocr", path)
    assert (run.returncode, run.stdout) == (0, "Printed\nHello 42\nTotal 17\n")
    assert "page 1, its text layer" in run.stderr
    assert "soft tokens" in run.stderr


def test_a_folder_is_read_in_natural_order_and_what_is_no_document_is_named(cabochon: Cabochon, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("10.pdf", "9.pdf", "b 1.pdf"):
        write_pdf(folder / name, [Page(text(f"This is {name}"))])
    (folder / "notes.txt").write_text("no document")
    run = cabochon("ocr", folder)
    assert run.returncode == 0
    assert [line for line in run.stdout.splitlines() if not line.startswith("==>")] == [
        "This is 9.pdf", "This is 10.pdf", "This is b 1.pdf"
    ]  # fmt: skip
    assert "Left out of “in”, because they are no PDF and no picture: “notes.txt”." in run.stderr


def test_a_folder_names_the_links_and_pipes_it_leaves_out(cabochon: Cabochon, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_pdf(folder / "a.pdf", [Page(text("Words"))])
    os.mkfifo(folder / "1.pdf")
    (folder / "2.pdf").symlink_to("nothing.pdf")
    (folder / "3.pdf").symlink_to("3.pdf")
    run = cabochon("ocr", folder)
    assert (run.returncode, run.stdout) == (0, "Words\n")
    assert (
        "Left out of “in”, because they are links to folders or to nothing, or no ordinary files: "
        "“1.pdf”, “2.pdf”, “3.pdf”.\n"
    ) in run.stderr
    (folder / "4").symlink_to(folder)
    assert "“1.pdf”, “2.pdf”, “3.pdf” and 1 more.\n" in cabochon("ocr", folder).stderr


@pytest.mark.parametrize("form", ["txt", "md", "json", "csv", "xlsx", "docx", "pdf"])
def test_each_document_becomes_a_file_as_it_lies_in_its_folder(cabochon: Cabochon, tmp_path: Path, form: str) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.pdf", "deep/b.pdf"):
        write_pdf(tmp_path / "in" / name, [Page(text("name value", "weight 12"))])
    way = ("--way", "layer") if form in ("csv", "xlsx") else ()
    run = cabochon("ocr", tmp_path / "in", "--as", form, "--out", tmp_path / "out", *way)
    assert run.returncode == 0, run.stderr
    written = [tmp_path / "out" / f"a.{form}", tmp_path / "out" / "deep" / f"b.{form}"]
    assert run.stdout.splitlines() == [str(path) for path in written]
    assert sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file()) == written


def test_a_comparison_is_the_document_as_json_on_stdout(cabochon: Cabochon, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("Hello 42", size=60))])
    run = cabochon("ocr", path, "--as", "json", "--compare")
    assert run.returncode == 0, run.stderr
    (page,) = json.loads(run.stdout)["pages"]
    assert [line["text"] for line in page["lines"]] == ["Hello 42"]
    assert "differs" in page["lines"][0]


def test_what_was_not_read_is_named_and_the_rest_is_read(cabochon: Cabochon, tmp_path: Path, three_pages: Path) -> None:
    with pikepdf.open(three_pages) as file:
        file.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="sesame", owner="o"))
    (tmp_path / "broken.tif").write_bytes(b"II*\0" + bytes(50))
    run = cabochon("ocr", tmp_path / "locked.pdf", tmp_path / "broken.tif", three_pages, "--pages", "1")
    assert run.returncode == 1
    assert run.stdout.endswith(f"==> {three_pages} <==\nFirst page\n")
    assert "“locked.pdf” is locked. Give its password." in run.stderr
    assert run.stderr.endswith("Not read, or not to the end: “locked.pdf”, “broken.tif”.\n")
    (tmp_path / "word").write_text("sesame\n")
    opened = cabochon("ocr", tmp_path / "locked.pdf", "--pages", "1", "--password-file", tmp_path / "word")
    assert (opened.returncode, opened.stdout) == (0, "First page\n")


def test_a_name_breaks_no_line_and_gives_a_terminal_no_orders(cabochon: Cabochon, tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31m\u202efdp.pdf"
    write_pdf(path, [Page(text("Words"))])
    other = tmp_path / "b\x1b.png"
    other.write_bytes(b"")
    run = cabochon("ocr", path, other)
    assert run.returncode == 1
    told = run.stdout + run.stderr
    assert not {"\x1b", "\u202e"} & set(told)
    assert "a␊␛[31m\ufffdfdp.pdf: page 1" in run.stderr
    assert "“b\ufffd.png” is empty." in run.stderr


def test_events_of_a_document_are_lines_of_json(cabochon: Cabochon, three_pages: Path) -> None:
    lines = [json.loads(line) for line in cabochon("ocr", three_pages, "--pages", "2", "--json").stdout.splitlines()]
    assert [line["event"]["event"] for line in lines] == ["page_read", "text_delta"]
    assert lines[0]["event"]["page"]["lines"][0]["text"] == "Second page"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["a.pdf", "--pages", "0"], 2, "count from 1"),
        (["a.pdf", "--pages", "3-1"], 2, "count from 1"),
        (["a.pdf", "--pages", "x"], 2, "'x' names no pages. Write them like 1-3,7,10-."),
        (["a.pdf", "--pages", "4"], 1, "There are 3 pages"),
        (["a.pdf", "--as", "odt"], 2, "docx"),
        (["a.pdf", "--way", "quickly"], 2, "tiles"),
        (["a.pdf", "--schema", "a.json"], 2, "--schema"),
        (["a.pdf", "--password-file", "none"], 1, "none cannot be read"),
        (["none.pdf"], 1, "“none.pdf” is not there."),
        (["a.pdf", "--way", "page", "--model", "none"], 1, "none is not a folder"),
        (["a.pdf", "--out", "a.pdf", "--as", "txt"], 1, "“a.pdf” is no folder."),
        (["a.pdf", "--out", "a.pdf/deep/er"], 1, "a.pdf” is no folder."),
        (["a.pdf", "--as", "txt", "--resume"], 2, "--out"),
        (["empty"], 1, "There is no document in the folder “empty”."),
    ],
)
def test_mistakes_are_one_sentence(
    cabochon: Cabochon,
    three_pages: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    (three_pages.parent / "empty").mkdir()
    monkeypatch.chdir(three_pages.parent)
    run = cabochon("ocr", *arguments)
    assert (run.returncode, run.stdout) == (status, "")
    assert words in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(("state", "status"), [("done", 0), ("empty", 1), ("failed", 1), ("cut_off", 1), ("looped", 1)])
def test_a_page_that_was_not_read_to_its_end_is_no_success(
    three_pages: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    status: int,
) -> None:
    def read(*_: object) -> Generator[PageProgress, None, PageText]:
        yield PageProgress(2, 1, 1)
        return PageText(2, state, (TextLine("half"),), "It is so.", receipt=PageReceipt("page"))  # type: ignore[arg-type]

    monkeypatch.setattr("engine.cli.documents.read_one", read)
    assert commands.run_command_line(["ocr", str(three_pages), "--pages", "2"]) == status
    told = capsys.readouterr()
    assert told.out == "half\n"
    assert "“a.pdf”, page 2: It is so." in told.err


def test_files_are_read_together_once_the_model_is_there_and_told_in_their_order(
    cabochon: Cabochon, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(1, 6)]
    for path in paths:
        draw_page([(20, 20, "1234")], (240, 60), 20).save(path)
    together = threading.Barrier(4)

    def read(
        document: Document, info: PageInfo, reading: Reading, lend: Lend, pace: Noted
    ) -> Generator[PageProgress, None, PageText]:
        with lend():
            yield PageProgress(1, 1, 1)
            if document.path != paths[0]:
                together.wait(240)
        if document.path == paths[2]:
            raise PromptError("It does not fit.")
        return PageText(1, "done", (TextLine(f"This is {document.path.name}"),))

    monkeypatch.setattr("engine.cli.documents.read_one", read)
    monkeypatch.setattr("engine.cli.documents.pages_at_once", lambda *_: 4)
    run = cabochon("ocr", *paths, "--model", tiny_checkpoint)
    assert (run.returncode, "It does not fit." in run.stderr) == (1, True)
    words = [[f"==> {path} <==", f"This is {path.name}"] for path in paths]
    words[2].pop()
    assert run.stdout.splitlines() == [line for each in words for line in each]


def test_a_page_without_a_word_is_read_only_if_nothing_stands_on_it(cabochon: Cabochon, tmp_path: Path) -> None:
    blank = write_pdf(tmp_path / "blank.pdf", [Page(b"")])
    assert cabochon("ocr", blank).returncode == 0
    assert cabochon("ocr", blank, "--way", "layer").returncode == 0
    scan = write_pdf(tmp_path / "scan.pdf", [Page(whole_picture(), picture=LARGE)])
    run = cabochon("ocr", scan, "--way", "layer")
    assert run.returncode == 1
    assert run.stderr.endswith(
        "“scan.pdf”, page 1: There is no text in the file, but a picture that covers 100% of the page. "
        "Read the page another way than from the file's text.\n"
    )
    resumed = ("ocr", scan, "--out", tmp_path / "out", "--resume")
    assert cabochon(*resumed, "--way", "layer").returncode == 1
    assert cabochon(*resumed).returncode == 0
    assert (tmp_path / "out" / "scan.txt").read_text() == "Hello 42\nTotal 17\n"


KILLED = """
import os, signal, sys
from engine.cli import commands, documents
read, last = documents.read_one, int(sys.argv[1])
def read_one(document, info, *given):
    if info.number == last and not document.path.name.startswith("a"):
        os.kill(os.getpid(), signal.SIGKILL)
    page = yield from read(document, info, *given)
    return page.__class__(page.number, "done", page.lines + (page.lines[0].__class__(sys.argv[2]),))
documents.read_one = read_one
sys.exit(commands.run_command_line(sys.argv[3:]))
"""


def test_a_killed_run_goes_on_at_its_page_and_writes_no_document_twice(tmp_path: Path) -> None:
    def run(last: int, mark: str) -> subprocess.CompletedProcess[str]:
        root = str(Path(__file__).parents[2])
        command = [
            sys.executable,
            "-c",
            KILLED,
            str(last),
            mark,
            "ocr",
            "in",
            "--as",
            "txt",
            "--out",
            "out",
            "--resume",
        ]
        env = os.environ | {"PYTHONPATH": root}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)

    (tmp_path / "in").mkdir()
    for name in ("a.pdf", "b.pdf"):
        write_pdf(tmp_path / "in" / name, [Page(text(f"{name} page {number}")) for number in (1, 2, 3)])
    assert run(3, "first run").returncode == -signal.SIGKILL
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".cabochon-unfinished", "a.txt"]
    again = run(9, "second run")
    assert (again.returncode, again.stdout.splitlines()) == (0, ["out/b.txt"])
    marks = [line for line in (tmp_path / "out" / "b.txt").read_text().splitlines() if line.endswith(" run")]
    assert marks == ["first run", "first run", "second run"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "b.txt"]


def test_a_changed_source_is_read_anew(cabochon: Cabochon, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "b.pdf", [Page(text("old"))])
    with Image.new("L", (4, 4)) as picture:
        picture.save(tmp_path / "broken.png")
    (tmp_path / "broken.png").write_bytes(b"")
    arguments = (path, tmp_path / "broken.png", "--as", "txt", "--out", tmp_path / "out", "--resume")
    assert cabochon("ocr", *arguments).returncode == 1
    assert "b.txt is there already" in cabochon("ocr", *arguments).stderr
    assert not (tmp_path / "out" / ".cabochon-unfinished").exists()  # nothing is left to go on from
    write_pdf(path, [Page(text("new words"))])
    cabochon("ocr", *arguments)
    assert (tmp_path / "out" / "b (2).txt").read_text().strip() == "new words"
    Image.new("L", (40, 40), 255).save(tmp_path / "broken.png")
    assert cabochon("ocr", *arguments).returncode == 0
    assert not (tmp_path / "out" / ".cabochon-unfinished").exists()


def test_pages_are_kept_for_a_content_not_for_a_time_of_change(tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "a.pdf", [Page(text("old"))])
    page = KeptPage(PageInfo(1, 400, 600, "text", ""), PageText(1, "done"))

    def kept() -> KeptPages:
        return KeptPages(tmp_path, source, None, Reading(), resumes=True)

    kept().keep(page)
    os.utime(source, (1, 1))
    assert kept().page(1) == page
    source.write_bytes(source.read_bytes()[:-1] + b" ")
    os.utime(source, (1, 1))
    assert kept().page(1) is None


def test_what_earlier_runs_finished_is_not_read_again(cabochon: Cabochon, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_pdf(tmp_path / "in" / "a.pdf", [Page(whole_picture(), picture=LARGE)])
    LARGE.crop((0, 0, 800, 300)).save(tmp_path / "in" / "a.png")
    out = tmp_path / "out"
    arguments = ("ocr", tmp_path / "in", "--as", "txt", "--out", out, "--resume")
    first = cabochon(*arguments)
    assert first.returncode == 0
    written = sorted(out.iterdir())
    (out / "a.txt").write_text("edited by hand")
    for _ in range(2):
        run = cabochon(*arguments)
        assert (run.returncode, run.stdout) == (0, "")
        assert run.stderr.count("is there already.") >= len(written)
        assert "sample" not in run.stderr  # no model was needed
        assert sorted(out.iterdir()) == written
    write_pdf(tmp_path / "in" / "a.pdf", [Page(text("Other words"))])
    assert cabochon(*arguments).returncode == 0
    assert "Other words\n" in [path.read_text() for path in out.iterdir()]
    assert (out / "a.txt").read_text() == "edited by hand"


def test_one_that_cannot_be_read_is_tried_again_and_leaves_nothing_behind(cabochon: Cabochon, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_pdf(tmp_path / "in" / "a.pdf", [Page(text("Words"))])
    (tmp_path / "in" / "b.png").write_bytes(b"none")
    arguments = ("ocr", tmp_path / "in", "--as", "txt", "--out", tmp_path / "out", "--resume")
    for _ in range(2):
        run = cabochon(*arguments)
        assert run.returncode == 1
        assert "“b.png”" in run.stderr
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("ranges", "numbers"),
    [
        ("", (1, 2, 3, 4, 5)), ("2", (2,)), ("4-", (4, 5)), ("-2", (1, 2)), ("5,1-2,2", (5, 1, 2)),
        (" 1 - 2 ".replace(" ", ""), (1, 2)), ("4-99", (4, 5)), ("2, 4", (2, 4)),
    ],
)  # fmt: skip
def test_ranges_of_pages(ranges: str, numbers: tuple[int, ...]) -> None:
    assert page_numbers(ranges, 5) == numbers


@pytest.mark.parametrize("ranges", ["0", "-", ",", "1,,2", "3-2", "a", "1-b", "-0", "9" * 50, "6", "1.5", "--1"])
def test_what_names_no_pages_is_refused(ranges: str) -> None:
    with pytest.raises(PromptError):
        page_numbers(ranges, 5)


@pytest.mark.parametrize(
    ("passed_s", "done", "words"),
    [(10, 0.5, "about 10 s left"), (600, 0.25, "about 30 min left"), (1, 0.5, ""), (60, 0, ""), (60, 1, "")],
)
def test_the_time_left_is_said_when_enough_was_done(passed_s: float, done: float, words: str) -> None:
    assert time_left(passed_s, done) == words
