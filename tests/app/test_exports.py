"""Exports: what each form says, what it carries along, and that a file is there whole or not at all."""

import base64
import json
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from threading import Event, Timer
from typing import Any

import msgspec
import pytest
from PIL import Image
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.exports import Entry, ExportCancelled, Exported, ExportError, ExportFormat, export
from app.viewmodels.conversation import exporting
from app.viewmodels.conversation.exporting import FORMAT_NAMES, Exporter
from app.widgets.export_sheet import ExportSheet
from app.widgets.shared import toast
from engine import Media, Message, Picture, Returned, Sound, Step, Text, Thought, ToolCall, ToolResult, user
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    say,
    wait_for_end,
)

WHEN = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
ANSWER = """Two **lines**
of it, `<b>` and <b>html</b>, ![a cat](https://evil.example/cat.png), [a file](file:///etc/passwd),
[a page](https://example.org/?a=1&b=2) and <script>alert(1)</script>

| a | b |
|---|---|
| 1 | 2 |

```python
print("<hello>")
```
"""


class Tags(HTMLParser):
    """Collects the tags of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


def said(message: Message, when: datetime | None = None) -> Entry:
    """What a person said."""
    return Entry("user", [part for part in message.parts if isinstance(part, Text | Media)], when)


def test_an_answer_is_written_step_by_step_with_what_its_tools_gave(tmp_path: Path, folder: Path) -> None:
    plot = tmp_path / "plot.png"
    Image.new("RGB", (9, 9), "red").save(plot)
    steps = (
        Thought("First"), Text("I draw it."), ToolCall("plot", {}, "1"), ToolCall("clock", {}, "2"),
        Returned(ToolResult("Drawn.", "1", "plot"), (Picture(str(plot)),)), Returned(ToolResult("Noon", "2", "clock")),
        Thought("Then"), Text("There it is."),
    )  # fmt: skip
    conversation = Exported("Plot", [Entry("assistant", steps)])
    text = written(conversation, folder, ExportFormat.MARKDOWN, with_thoughts=True)
    order = ["> First", "I draw it.", "Tool: plot", "Drawn.", "picture%201", "Tool: clock", "Noon", "> Then", "There"]
    assert sorted(order, key=text.index) == order
    assert (folder / "Cats files" / "picture 1.png").read_bytes() == plot.read_bytes()
    page = written(conversation, folder, ExportFormat.HTML, with_thoughts=True)
    order = ["First", "I draw it.", "Tool: plot", "data:image/png", "Tool: clock", "Then", "There it is."]
    assert sorted(order, key=page.index) == order


@pytest.fixture
def conversation(tmp_path: Path) -> Exported:
    """A picture, a question, an answer with everything that Markdown can do, and a tool."""
    (tmp_path / "private").mkdir()
    picture = tmp_path / "private" / "5f8a.png"
    Image.new("RGB", (80, 40), "teal").save(picture)
    sound = tmp_path / "private" / "91c0.wav"
    sound.write_bytes(b"RIFF")
    return Exported(
        "Cats & <dogs>",
        [
            said(user("What is <this>?\n# not a heading", Picture(str(picture)), Sound(str(sound))), WHEN),
            Entry("assistant", (Thought("Let me\nlook."), Text(ANSWER)), WHEN, "Gemma 4 E2B"),
            Entry("assistant", (ToolCall("clock", {"zone": "``` UTC"}),), WHEN, "Gemma 4 E2B"),
            Entry("tool", (Returned(ToolResult({"time": "<9:05>"}, name="clock")),), WHEN),
            said(user("And this?", Picture(str(tmp_path / "gone.png")))),
        ],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where files are written; nothing unfinished may stay there."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def written(conversation: Exported, folder: Path, kind: ExportFormat, *, with_thoughts: bool = False) -> str:
    path = folder / f"Cats.{kind.value}"
    export(conversation, path, kind, with_thoughts=with_thoughts)
    return path.read_text()


def test_markdown_keeps_the_words_and_brings_the_files(conversation: Exported, folder: Path) -> None:
    text = written(conversation, folder, ExportFormat.MARKDOWN)
    assert text.startswith("# Cats & <dogs>\n\n## You\n\n*21 November 2026, 09:05*\n\n")
    assert "![picture 1](Cats%20files/picture%201.png)" in text
    assert "[sound 2](Cats%20files/sound%202.wav)" in text
    assert ANSWER.strip() in text
    assert "## Gemma 4 E2B" in text
    assert '**Tool: clock**\n\nArguments:\n\n````json\n{\n  "zone": "``` UTC"\n}\n````' in text
    assert 'Result:\n\n```json\n{\n  "time": "<9:05>"\n}\n```' in text
    assert "*Picture that is no longer there*" in text
    assert sorted(path.name for path in (folder / "Cats files").iterdir()) == ["picture 1.png", "sound 2.wav"]
    with Image.open(folder / "Cats files" / "picture 1.png") as picture:
        assert picture.size == (80, 40)


def test_html_needs_nothing_else_and_runs_nothing(conversation: Exported, folder: Path) -> None:
    page = written(conversation, folder, ExportFormat.HTML)
    tags = Tags(page)
    assert [path.name for path in folder.iterdir()] == ["Cats.html"]
    assert not tags.named("script")
    assert not tags.named("b")
    assert not [key for _, attributes in tags.found for key in attributes if key.startswith("on")]
    (picture,) = tags.named("img")
    data = (picture["src"] or "").removeprefix("data:image/png;base64,")
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert [link["href"] for link in tags.named("a")] == ["https://example.org/?a=1&b=2"]
    assert "default-src 'none'" in (tags.named("meta")[1]["content"] or "")
    assert "[a cat: not loaded]" in page
    assert "<title>Cats &amp; &lt;dogs&gt;</title>" in page
    assert "What is &lt;this&gt;?" in page
    assert len(tags.named("td")) == 2
    assert len(tags.named("details")) == 2
    assert not any("open" in details for details in tags.named("details"))
    assert "&lt;9:05&gt;" in page
    assert 'class="language-python"' in page
    assert "prefers-color-scheme: dark" in page


def test_html_shows_a_picture_that_browsers_do_not_know(tmp_path: Path, folder: Path) -> None:
    scan = tmp_path / "scan.tiff"
    Image.new("RGB", (9, 9), "red").save(scan)
    page = written(Exported("Scan", [said(user("", Picture(str(scan))))]), folder, ExportFormat.HTML)
    assert "data:image/png;base64,iVBOR" in page


def test_json_is_the_engines_own_form(conversation: Exported, folder: Path) -> None:
    document = json.loads(written(conversation, folder, ExportFormat.JSON))
    steps = [msgspec.convert(entry["steps"], tuple[Step | Media, ...]) for entry in document["messages"]]
    assert steps[1] == (Text(ANSWER),), "thoughts are left out"
    assert steps[2:4] == [entry.steps for entry in conversation.entries[2:4]]
    when = [entry["created_at"] for entry in document["messages"]]
    assert (datetime.fromisoformat(when[0]), when[4]) == (WHEN, None)
    assert document["messages"][1]["model"] == "Gemma 4 E2B"
    assert isinstance(steps[0][0], Picture)
    assert (folder / steps[0][0].path).is_file()
    assert steps[4][0] == Picture("")
    assert "private" not in json.dumps(document)


def test_pdf_has_pages_and_the_picture(conversation: Exported, folder: Path, qapp: object) -> None:
    path = folder / "Cats.pdf"
    long = Exported(conversation.title, [*conversation.entries, said(user("word " * 3000))])
    export(long, path, ExportFormat.PDF, with_thoughts=True)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", data)) >= 3
    assert b"/Subtype /Image" in data


@pytest.mark.parametrize("kind", [ExportFormat.MARKDOWN, ExportFormat.HTML, ExportFormat.JSON])
def test_thoughts_are_left_out_unless_they_are_wanted(conversation: Exported, folder: Path, kind: ExportFormat) -> None:
    assert "Let me" not in written(conversation, folder, kind)
    assert "Let me" in written(conversation, folder, kind, with_thoughts=True)


def test_an_earlier_export_is_replaced_but_no_folder_is_touched(conversation: Exported, folder: Path) -> None:
    written(conversation, folder, ExportFormat.MARKDOWN)
    kept = folder / "Cats files" / "notes.txt"
    kept.write_text("mine")
    assert "Cats%20files%202/picture%201.png" in written(conversation, folder, ExportFormat.MARKDOWN)
    assert kept.read_text() == "mine"
    assert (folder / "Cats files 2" / "picture 1.png").is_file()


def test_what_cannot_be_written_leaves_everything_as_it_was(conversation: Exported, folder: Path) -> None:
    (folder / "Cats.md").mkdir()
    with pytest.raises(ExportError, match=r"^“Cats\.md” cannot be written: .* Choose another place\.$"):
        export(conversation, folder / "Cats.md", ExportFormat.MARKDOWN, with_thoughts=False)
    assert [path.name for path in folder.iterdir()] == ["Cats.md"]
    with pytest.raises(ExportError, match="cannot be written"):
        export(conversation, folder / "missing" / "Cats.md", ExportFormat.MARKDOWN, with_thoughts=False)


def test_a_full_disk_leaves_the_earlier_file(conversation: Exported, folder: Path) -> None:
    before = written(conversation, folder, ExportFormat.HTML)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ExportError, match="File too large"):
            written(conversation, folder, ExportFormat.HTML, with_thoughts=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (folder / "Cats.html").read_text() == before


def test_a_title_becomes_a_file_name() -> None:
    def nothing() -> Exported:
        raise AssertionError("a name needs none of what was said")

    def name(title: str) -> str:
        return Exporter(lambda: title, nothing).file_name(ExportFormat.PDF)

    assert name("Cats/dogs: “why?”\n") == "Cats dogs “why ”.pdf"
    assert name("../..") == "Conversation.pdf"
    assert name("日本語の題") == "日本語の題.pdf"
    assert len(name("x" * 300)) == 64


def test_the_window_exports_what_was_said(
    open_desk: OpenDesk, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("echo")
    assert not desk.window.commands["export"].isEnabled()
    say(desk, "Hello there")
    wait_for_end(qtbot, desk)
    desk.window.commands["export"].trigger()
    sheet = desk.window.findChild(ExportSheet)
    assert [sheet.kind.itemText(index) for index in range(4)] == list(FORMAT_NAMES.values())
    sheet.export_button.click()
    dialog = desk.window.findChild(QFileDialog)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    desk.models.library.new()  # as a notification does that is clicked meanwhile
    dialog.fileSelected.emit(str(folder / "said.md"))
    dialog.close()
    qtbot.waitUntil(lambda: desk.window.toast.text.text() == "Exported as “said.md”", timeout=WAIT_MS)
    shown: list[Path] = []
    monkeypatch.setattr(toast, "show_file", shown.append)
    desk.window.toast.file_button.click()
    assert [path.name for path in shown] == ["said.md"]
    desk.window.toast.say("Copied")
    assert not desk.window.toast.file_button.isVisible()
    assert "user:Hello there" in (folder / "said.md").read_text()


def test_an_export_tells_of_tools_and_of_the_zone(open_desk: OpenDesk, folder: Path, qtbot: QtBot) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("calculator", True)
    say(desk, "calculator expression 6 * 7")
    wait_for_end(qtbot, desk)
    with qtbot.waitSignal(desk.exporter.exported, timeout=WAIT_MS):
        desk.exporter.export(folder / "said.json", ExportFormat.JSON, with_thoughts=False)
    entries = json.loads((folder / "said.json").read_text())["messages"]
    call, returned, text = msgspec.convert(entries[1]["steps"], tuple[Step, ...])
    assert call == ToolCall("calculator", {"expression": "6 * 7"}, "call-1")
    assert isinstance(returned, Returned)
    assert returned.result == ToolResult(42, "call-1", "calculator")
    assert text == Text("The tool said 42")
    assert datetime.fromisoformat(entries[1]["created_at"]).utcoffset() is not None


def test_a_killed_export_leaves_nothing_hidden(folder: Path, tmp_path: Path) -> None:
    """What it leaves is a folder beside the file that a person sees."""
    (tmp_path / "a.png").write_bytes(b"picture")
    killed = f"""
import os, shutil, signal
from pathlib import Path
from app.exports import Entry, Exported, ExportFormat, export
from engine import Picture
shutil.copyfile = lambda *_paths: os.kill(os.getpid(), signal.SIGKILL)
entry = Entry("user", (Picture({str(tmp_path / "a.png")!r}, 280),))
export(Exported("Cats", [entry]), Path({str(folder / "Cats.md")!r}), ExportFormat.MARKDOWN, with_thoughts=True)
"""
    process = subprocess.run([sys.executable, "-c", killed], cwd=Path(__file__).parents[2], check=False, timeout=240)
    assert process.returncode == -signal.SIGKILL
    assert [path.name for path in folder.iterdir()] == ["Cats files"]


def test_a_temporary_conversation_that_is_left_is_still_exported_whole(
    open_desk: OpenDesk, folder: Path, draw: Draw, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()

    def wait_and_export(*arguments: Any, **options: Any) -> None:
        go_on.wait(WAIT_MS / 1000)
        export(*arguments, **options)

    monkeypatch.setattr(exporting, "export", wait_and_export)
    desk = open_desk("echo")
    desk.window.commands["new_temporary"].trigger()
    attach(desk, draw("secret.png"))
    say(desk, "look")
    wait_for_end(qtbot, desk)
    sent = Path(desk.models.conversation.history[0].pictures[0].path)
    desk.exporter.export(folder / "said.md", ExportFormat.MARKDOWN, with_thoughts=False)
    desk.window.commands["new"].trigger()
    go_on.set()
    qtbot.waitUntil(lambda: not sent.exists(), timeout=WAIT_MS)
    assert len(list((folder / "said files").iterdir())) == 1


def test_an_export_that_is_not_wanted_any_more_leaves_nothing(conversation: Exported, folder: Path) -> None:
    for kind in ExportFormat:
        for number in range(3):
            answers = iter([True] * number + [False] * 9)
            with pytest.raises(ExportCancelled):
                export(
                    conversation,
                    folder / "no",
                    kind,
                    with_thoughts=True,
                    is_wanted=lambda answers=answers: next(answers),
                )
    assert list(folder.iterdir()) == []


def test_a_long_export_is_announced_and_given_up_when_the_app_quits(
    folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()

    def take_long(*_arguments: object, is_wanted: Callable[[], bool], **_options: object) -> None:
        go_on.wait(WAIT_MS / 1000)
        if not is_wanted():
            raise ExportCancelled

    monkeypatch.setattr(exporting, "export", take_long)
    exporter = Exporter(lambda: "", lambda: Exported("", []))
    said: list[str] = []
    exporter.said.connect(said.append)
    exporter.exported.connect(lambda sentence, _file: said.append(sentence))
    exporter.export(folder / "a.md", ExportFormat.MARKDOWN, with_thoughts=False)
    qtbot.waitUntil(lambda: said == ["Exporting…"], timeout=WAIT_MS)
    go_on.set()
    qtbot.waitUntil(lambda: said == ["Exporting…", "Exported as “a.md”"], timeout=WAIT_MS)
    go_on.clear()
    exporter.export(folder / "b.md", ExportFormat.MARKDOWN, with_thoughts=False)
    ending = Timer(0.1, go_on.set)
    ending.start()
    exporter.close()
    ending.join()
    assert len(said) == 2


def test_an_export_writes_through_no_link_that_others_laid(
    conversation: Exported, folder: Path, tmp_path: Path
) -> None:
    precious, elsewhere = tmp_path / "precious.txt", tmp_path / "elsewhere"
    precious.write_text("precious")
    elsewhere.mkdir()
    (folder / "Cats.md").symlink_to(precious)
    (folder / ".cabochon-export").symlink_to(precious)
    (folder / "Cats files").symlink_to(elsewhere)
    (folder / "Cats files 2").symlink_to(tmp_path / "nowhere")
    export(conversation, folder / "Cats.md", ExportFormat.MARKDOWN, with_thoughts=True)
    assert precious.read_text() == "precious"
    assert list(elsewhere.iterdir()) == []
    assert not (folder / "Cats.md").is_symlink()
    assert (folder / "Cats files 3").is_dir()
    assert not (folder / "Cats files 2").exists()
    (folder / ".cabochon-export").unlink()


def test_pictures_are_embedded_as_what_they_are_whatever_they_are_called(folder: Path, tmp_path: Path) -> None:
    kinds = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "png"}
    for format_, kind in kinds.items():
        path = tmp_path / "picture.png"
        Image.new("RGB", (8, 8), "teal").save(path, format_)
        cats = Exported("Cats", [Entry("user", (Picture(str(path), 280),))])
        export(cats, folder / "Cats.html", ExportFormat.HTML, with_thoughts=True)
        assert f"data:image/{kind};base64," in (folder / "Cats.html").read_text()


def test_a_failed_export_removes_no_folder_that_was_there(conversation: Exported, folder: Path) -> None:
    (folder / "Cats files").mkdir()
    (folder / "Cats files" / "mine.txt").write_text("mine")
    (folder / "Cats.md").mkdir()
    with pytest.raises(ExportError):
        export(conversation, folder / "Cats.md", ExportFormat.MARKDOWN, with_thoughts=True)
    assert [path.name for path in sorted(folder.iterdir())] == ["Cats files", "Cats.md"]
    assert (folder / "Cats files" / "mine.txt").read_text() == "mine"
