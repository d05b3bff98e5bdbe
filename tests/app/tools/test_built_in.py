"""The built-in tools do what they say, inside what a person allowed."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools import BuiltIn, Desktop, built_in_tools
from app.tools.calculator import work_out
from engine import ToolError


def toolbox(*allowed: Path) -> dict[str, BuiltIn]:
    def search(words: str, most: int) -> Sequence[dict[str, Any]]:
        return [{"title": words, "text": str(most)}]

    desktop = Desktop(lambda: allowed, search, lambda: datetime(2026, 11, 21, 19, 5))
    return {each.tool.name: each for each in built_in_tools(desktop)}


def test_the_clock_tells_date_time_and_day() -> None:
    assert toolbox()["clock"].run({}) == {"date": "2026-11-21", "time": "19:05", "weekday": "Saturday"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("4817 * 392", 1888264),
        ("0.1 + 0.2", 0.3),
        ("(2 + 3) * -4", -20),
        ("7 / 2", 3.5),
        ("10 / 5", 2),
        ("2 ** 100", 2**100),
        ("2 ** 0.5", 1.41421356237),
        ("17 % 5", 2),
        ("12 × 3 − 1", 35),
        ("2^10 =", 1024),
        ("7 // 2", 3),
        ("(7 // 2) ** 3", 27),
        ("10 ** 20 // 3", 33333333333333333333),
        ("3 * 10 ** -12", 3e-12),
        ("2 / 3", 0.666666666667),
        ("123456789012345678901234567890 + 1", 123456789012345678901234567891),
        ("1 / 3 ** 2000", "5.72124519477E-955"),
        ("1 / 3 ** 2000 * 3 ** 2000", 1),
        ("2 ** 0.5 / 3 ** 2000", "8.09106254811E-955"),
        ("(1 / 3 ** 2000) ** 0.5 * 3 ** 1000", 1.0),
        ("1e-999 * 1e999", 1),
        ("0.5 ** 4000.5", "5.36416769384E-1205"),
        ("10 ** 400 / 3", "3.33333333333E+399"),
        ("-1e-310", "-1E-310"),
        ("1.00000000000000000001 - 1", 1e-20),
        ("0 ** 0.5", 0.0),
        ("17 // 2 ** 0.5", 12),
    ],
)
def test_the_calculator_is_exact(expression: str, value: float) -> None:
    assert work_out(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "hello",
        "__import__('os')",
        "1 if 2 else 3",
        "[1]",
        "True + 1",
        "9 ** 9 ** 9",
        "10 ** 4000",
        "(10 ** 1000) * (10 ** 1000)",
        "1 / 0",
        "0 ** -1",
        "(-8) ** 0.5",
        "1" * 501,
        "(" * 400 + "1" + ")" * 400,
        "'a' * 9",
        "1e9999",
        "1e99999999999",
        "1e-99999999999",
        "1e-1200 ** 4000",
        "2.5 ** 4096 ** 0.9 ** 9 ** 4096.5",
        "0 ** -0.5",
        "1j + 1",
    ],
)
def test_the_calculator_refuses_all_else(expression: str) -> None:
    with pytest.raises(ToolError):
        work_out(expression)


@given(st.text(alphabet="0123456789+-*/%(). ", max_size=60))
def test_whatever_the_model_writes_gives_a_number_or_a_sentence(expression: str) -> None:
    try:
        value = work_out(expression)
    except ToolError:
        return
    assert isinstance(value, int | float | str)


def test_a_refusal_says_what_is_wrong() -> None:
    for expression, words in (("10 ** 4000", "too large"), ("(-8) ** 0.5", "real numbers"), ("1 / 0", "by zero")):
        with pytest.raises(ToolError, match=words):
            work_out(expression)


def test_only_what_was_chosen_can_be_read(tmp_path: Path) -> None:
    chosen = tmp_path / "notes"
    (chosen / "deep").mkdir(parents=True)
    (chosen / "a.txt").write_text("grüezi")
    (chosen / ".hidden").write_text("x")
    (tmp_path / "secret.txt").write_text("secret")
    (chosen / "link.txt").symlink_to(tmp_path / "secret.txt")
    tools = toolbox(chosen)
    assert tools["list_files"].run({}) == [f"{chosen}/"]
    listed = tools["list_files"].run({"path": str(chosen)})
    assert listed == [str(chosen / "a.txt"), f"{chosen / 'deep'}/", str(chosen / "link.txt")]
    assert tools["read_file"].run({"path": str(chosen / "a.txt")}) == {"text": "grüezi"}
    assert tools["read_file"].run({"path": "a.txt"}) == {"text": "grüezi"}
    for path in (
        str(tmp_path / "secret.txt"),
        str(chosen / "link.txt"),
        "../secret.txt",
        "/etc/passwd",
        "~",
        "a\0",
        "~nosuch/x",
        "\ud800",
    ):
        with pytest.raises(ToolError):
            tools["read_file"].run({"path": path})


def test_long_and_binary_files_are_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("x" * 70_000)
    (tmp_path / "picture.bin").write_bytes(b"\x89PNG\0\0")
    tools = toolbox(tmp_path)
    result = tools["read_file"].run({"path": "long.txt"})
    assert len(result["text"]) == 65_536
    assert "first 64 KB" in result["note"]
    with pytest.raises(ToolError, match="not a text file"):
        tools["read_file"].run({"path": "picture.bin"})


def test_files_of_windows_and_of_old_times_are_read(tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_bytes("Grüße\r\n".encode("utf-16"))
    (tmp_path / "old.txt").write_bytes("Grüße".encode("latin-1"))
    tools = toolbox(tmp_path)
    assert tools["read_file"].run({"path": "wide.txt"}) == {"text": "Grüße\n"}
    assert tools["read_file"].run({"path": "old.txt"}) == {"text": "Gr\ufffd\ufffde"}


def test_without_a_choice_there_is_nothing_to_read() -> None:
    with pytest.raises(ToolError, match="Choose a Folder"):
        toolbox()["list_files"].run({})


def test_a_missing_argument_is_said() -> None:
    with pytest.raises(ToolError, match="expression"):
        toolbox()["calculator"].run({"expression": 5})


def test_earlier_conversations_are_searched() -> None:
    assert toolbox()["search_conversations"].run({"words": "bread"}) == [{"title": "bread", "text": "8"}]


def test_what_will_be_read_is_named_with_links_followed(tmp_path: Path) -> None:
    real = tmp_path / "chosen" / "real.txt"
    real.parent.mkdir()
    real.write_text("x")
    (tmp_path / "chosen" / "link.txt").symlink_to(real)
    tools = toolbox(tmp_path / "chosen")
    assert tools["read_file"].target({"path": "link.txt"}) == str(real)
    assert tools["list_files"].target({}) == ""
    assert tools["clock"].target({}) == ""
    with pytest.raises(ToolError):
        tools["read_file"].target({"path": "../secret.txt"})


def test_a_loop_of_links_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ToolError):
        toolbox(tmp_path)["read_file"].run({"path": "loop"})
    assert str(tmp_path / "loop") in toolbox(tmp_path)["list_files"].run({"path": str(tmp_path)})


def notes(tmp_path: Path) -> Path:
    """A chosen folder with a file in a folder, and a secret beside it."""
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("allowed")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.txt").write_text("secret")
    return folder


def swap_file_for_link(folder: Path) -> None:
    (folder / "deep" / "a.txt").unlink()
    (folder / "deep" / "a.txt").symlink_to(folder.parent / "secret" / "a.txt")


def swap_folder_for_link(folder: Path) -> None:
    (folder / "deep").rename(folder / "away")
    (folder / "deep").symlink_to(folder.parent / "secret")


def swap_chosen_for_link(folder: Path) -> None:
    folder.rename(folder.parent / "away")
    (folder.parent / "secret" / "deep").mkdir()
    (folder.parent / "secret" / "deep" / "a.txt").write_text("secret")
    folder.symlink_to(folder.parent / "secret")


def swap_file_for_another(folder: Path) -> None:
    (folder.parent / "secret" / "a.txt").replace(folder / "deep" / "a.txt")


def swap_file_for_pipe(folder: Path) -> None:
    (folder / "deep" / "a.txt").unlink()
    os.mkfifo(folder / "deep" / "a.txt")


SWAPS = [swap_file_for_link, swap_folder_for_link, swap_chosen_for_link, swap_file_for_another, swap_file_for_pipe]


@pytest.mark.parametrize("swap", SWAPS)
def test_what_was_allowed_is_what_is_read(tmp_path: Path, swap: Callable[[Path], None]) -> None:
    folder = notes(tmp_path)
    tool = toolbox(folder)["read_file"]
    place = tool.find({"path": "deep/a.txt"})
    assert place is not None
    assert tool.read(place) == {"text": "allowed"}
    swap(folder)
    with pytest.raises(ToolError, match="changed since"):
        tool.read(place)


def test_a_folder_that_was_swapped_is_not_listed(tmp_path: Path) -> None:
    folder = notes(tmp_path)
    tool = toolbox(folder)["list_files"]
    place = tool.find({"path": "deep"})
    assert place is not None
    assert tool.read(place) == [str(folder / "deep" / "a.txt")]
    swap_folder_for_link(folder)
    with pytest.raises(ToolError, match="changed since"):
        tool.read(place)


def test_both_tools_leave_hidden_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / ".chosen"
    (folder / ".hidden").mkdir(parents=True)
    (folder / ".hidden" / "a.txt").write_text("x")
    (folder / ".env").write_text("x")
    (folder / "seen.txt").write_text("x")
    (folder / "link").symlink_to(folder / ".env")
    tools = toolbox(folder)
    assert tools["list_files"].run({"path": str(folder)}) == [str(folder / "link"), str(folder / "seen.txt")]
    assert tools["read_file"].run({"path": "seen.txt"}) == {"text": "x"}
    for name in (".env", ".hidden/a.txt", "link"):
        with pytest.raises(ToolError, match="hidden"):
            tools["read_file"].run({"path": name})
    with pytest.raises(ToolError, match="hidden"):
        tools["list_files"].run({"path": ".hidden"})


def test_a_pipe_is_refused_at_once_and_a_name_that_is_no_text_is_listed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("x")
    tools = toolbox(tmp_path)
    with pytest.raises(ToolError, match="not a file"):
        tools["read_file"].run({"path": "pipe"})
    assert tools["list_files"].run({"path": str(tmp_path)}) == [str(tmp_path / "pipe"), str(tmp_path / "?.txt")]


def test_what_the_model_is_told_of_a_path_is_one_short_line(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a long name " * 15] * 8, "new\nline\u202e")
    deep.mkdir(parents=True)
    os.mkfifo(deep / os.fsdecode(b"pipe\xff"))
    tools = toolbox(tmp_path)
    inside = str(deep.relative_to(tmp_path))
    pipe = inside + os.fsdecode(b"/pipe\xff")
    for tool, path in (
        ("read_file", inside),
        ("read_file", pipe),
        ("list_files", pipe),
        ("read_file", "x\n" * 3_000),
        ("list_files", "\u202e" * 3_000),
    ):
        with pytest.raises(ToolError) as told:
            tools[tool].run({"path": path})
        sentence = str(told.value)
        sentence.encode()
        assert len(sentence) < 220
        assert sentence.isprintable()


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    folder = notes(tmp_path)
    tools = toolbox(folder)
    before = len(list(Path("/dev/fd").iterdir()))
    tools["read_file"].run({"path": "deep/a.txt"})
    tools["list_files"].run({"path": "deep"})
    for tool, path in (("read_file", "deep"), ("list_files", "deep/a.txt"), ("read_file", "deep/none")):
        with pytest.raises(ToolError):
            tools[tool].run({"path": path})
    assert len(list(Path("/dev/fd").iterdir())) == before
