"""What others bring to the command line: tools that print, and names that are no text."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.cli.chat import Conversation
from engine.cli.output import json_line
from engine.protocol.messages import Picture, user
from engine.tasks.selftest import draw_line

NOISE = """
import atexit, os, subprocess, threading
print("python")
os.write(1, b"descriptor\\n")
subprocess.run(["echo", "child"])
threading.Thread(target=print, args=("thread",)).start()
atexit.register(print, "exit")

def clock() -> str:
    "Tells the date, the time and the day of the week."
    print("asked")
    return "12:34"
"""


def cabochon(*arguments: object, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [os.fsencode(sys.executable), b"-m", b"app", *map(os.fsencode, map(str, arguments))]
    return subprocess.run(command, input=said, capture_output=True, check=False, timeout=240)


def test_what_tools_print_goes_to_stderr(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISE)
    tools = "--tools", tmp_path / "noisy.py", "--temperature", 0
    lines = cabochon("ask", "What time is it?", *tools, "--json")
    events = [json.loads(line)["event"] for line in lines.stdout.splitlines()]
    assert events[0] == "prompt_ready"
    assert events[-1] == "finished"
    talk = cabochon("chat", *tools, said=b"What time is it?\n")
    for run in (lines, talk):
        assert run.returncode == 0
        for word in (b"python", b"descriptor", b"child", b"thread", b"exit"):
            assert word in run.stderr
            assert word not in run.stdout


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A picture whose name is no UTF-8."""
    draw_line("OPEN 24").save(tmp_path / "a.png")
    try:
        return (tmp_path / "a.png").rename(os.fsdecode(bytes(tmp_path) + b"/gr\xfcn.png"))
    except OSError:
        pytest.skip("this file system holds no such names")


def test_a_name_that_is_no_utf_8_passes_through_json_and_plain_output(odd: Path) -> None:
    read = cabochon("ocr", odd, "--budget", 140, "--json")
    lines = [json.loads(line) for line in read.stdout.decode().splitlines()]
    assert {line["file"] for line in lines} == {str(odd)}
    assert lines[-1]["event"]["event"] == "text_delta"
    plain = cabochon("ocr", odd, odd, "--budget", 140)
    assert b"OPEN 24" in plain.stdout
    assert b"soft tokens" in plain.stderr
    assert (read.returncode, plain.returncode) == (0, 0)


def test_a_refusal_of_such_a_name_is_a_sentence(odd: Path) -> None:
    odd.write_bytes(b"no picture")
    run = cabochon("ocr", odd, "--json")
    assert run.returncode == 1
    assert b"is no PDF and no picture" in run.stderr
    assert b"Traceback" not in run.stderr
    failed = json.loads(run.stdout)
    assert (failed["file"], failed["event"]["event"]) == (str(odd), "failed")


def test_a_history_keeps_such_a_name(tmp_path: Path) -> None:
    name = os.fsdecode(b"/gr\xfcn.png")
    begun = Conversation([user("Look", Picture(name))], tmp_path / "talk.json")
    begun.save()
    assert Conversation.open(tmp_path / "talk.json", None).messages == begun.messages


def test_text_that_is_unicode_is_written_as_it_is() -> None:
    assert json_line({"a": "Grüße 😀"}) == msgspec.json.encode({"a": "Grüße 😀"}).decode() == '{"a":"Grüße 😀"}'
