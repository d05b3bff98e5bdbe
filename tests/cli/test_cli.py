"""The command line as a person uses it: real files, the built-in sample, and each command once in a real process."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from engine import version
from engine.checkpoint.sample import sample_checkpoint
from engine.process.wire import decode_event, encode
from engine.protocol.events import Finished, PromptReady
from engine.protocol.requests import Envelope
from engine.tasks.selftest import draw_line
from tests.cli.conftest import Cabochon, started

SAMPLE = sample_checkpoint()


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    path = tmp_path / "sign.png"
    draw_line("OPEN 24").save(path)
    return path


def events_of(output: str) -> list[object]:
    """The lines of --json, each read back as the event it is."""
    return [decode_event(f'{{"request_id":1,"event":{line}}}'.encode()).event for line in output.splitlines()]


def test_ask_reads_a_picture_and_says_that_the_sample_did(sign: Path) -> None:
    run = started("ask", "What does it say?", "--image", sign, "--temperature", 0)
    assert run.returncode == 0
    assert run.stdout == "OPEN 24\n"
    assert "sample" in run.stderr
    assert "soft tokens" in run.stderr


def test_ask_without_a_picture_says_what_the_sample_is(cabochon: Cabochon) -> None:
    run = cabochon("ask", "What is the capital of France?", "--temperature", 0)
    assert run.returncode == 0
    assert "sample" in run.stdout
    assert "--model" in run.stderr


def test_the_thought_goes_to_stderr(cabochon: Cabochon, sign: Path) -> None:
    asked = ("ask", "What does it say?", "--image", sign, "--budget", 140, "--temperature", 0)
    run = cabochon(*asked, "--think")
    assert run.stdout == "OPEN 24\n"
    quiet = cabochon(*asked)
    assert len(run.stderr) > len(quiet.stderr) + 10


def test_json_lines_are_the_wire_form(cabochon: Cabochon, sign: Path) -> None:
    run = cabochon("ask", "Read", "--image", sign, "--budget", 140, "--json", "--seed", 4)
    events = events_of(run.stdout)
    (ready,) = [event for event in events if isinstance(event, PromptReady)]
    assert ready.pictures[0].budget == 140
    assert isinstance(events[-1], Finished)
    first = run.stdout.splitlines()[0]
    assert first in encode(Envelope(1, events[0])).decode()


def test_the_same_seed_gives_the_same_answer(cabochon: Cabochon, sign: Path) -> None:
    runs = [cabochon("ask", "Read", "--image", sign, "--budget", 140, "--seed", 9).stdout for _ in range(2)]
    assert runs[0] == runs[1] != ""


def test_ocr_reads_several_files_and_one_bad_one_stops_nothing(sign: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    other = tmp_path / "other.jpg"
    draw_line("Platform 9").save(other, quality=80)
    run = started("ocr", sign, tmp_path / "empty.png", other)
    assert run.returncode == 1
    assert run.stdout == f"==> {sign} <==\nOPEN 24\n==> {tmp_path / 'empty.png'} <==\n==> {other} <==\nPlatform 9\n"
    assert "“empty.png” is empty" in run.stderr
    assert "Traceback" not in run.stderr


def test_ocr_json_names_the_file(cabochon: Cabochon, sign: Path) -> None:
    lines = [json.loads(line) for line in cabochon("ocr", sign, "--json").stdout.splitlines()]
    assert {line["file"] for line in lines} == {str(sign)}
    assert "".join(line["event"].get("text", "") for line in lines) == "OPEN 24"


def test_selftest_says_ok_and_what_it_ran_on(cabochon: Cabochon) -> None:
    run = started("selftest")
    assert run.returncode == 0
    assert run.stdout.splitlines()[-1] == "ok"
    assert all(
        word in run.stdout for word in ("mlx", "backend", "memory", "cpu" if sys.platform == "linux" else "metal")
    )
    assert re.search(r"^multiplies +\S.*, \d+\.\d GMAC/s$", run.stdout, re.MULTILINE)
    report = json.loads(cabochon("selftest", "--json").stdout)
    assert len(report["read"]) == 2
    assert len(report["heard"]) == 1
    assert all(made == understood for made, understood in [*report["read"].items(), *report["heard"].items()])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["ask", "Hi", "--model", "/nowhere"], 1, "not a folder"),
        (["ask", "Hi", "--image", "/nowhere.png"], 1, "nowhere.png"),
        (["ask", "Hi", "--budget", "300"], 2, "70, 140, 280, 560, 1120"),
        (["ask", "Hi", "--own-template"], 1, "no chat template of its own"),
        (["ask", "Hi", "--seed", str(2**63)], 2, "'--seed': choose 0 to 9223372036854775807"),
        (["ask", "Hi", "--seed", "x"], 2, "'--seed': 'x' is not a whole number"),
        (["ask", "Hi", "--temperature", "nan"], 2, "'--temperature': choose 0 or more"),
        (["ask", "Hi", "--max-tokens", "0"], 2, "'--max-tokens': choose 1 or more"),
        (["ask", "Hi", "--draft", "99"], 2, "'--draft': choose 1 to 15"),
        (["chat", "--history", "/tmp"], 1, "/tmp cannot be read: Is a directory. Name another file."),
        (["chat", "--history", "/nowhere/talk.json"], 1, "/nowhere/talk.json cannot be written"),
        (["ask", "Hi", "--image", "/dev/zero"], 1, "not an ordinary file"),
        (["slftest"], 2, "no command and no file named 'slftest'"),
        (["ask"], 2, "question"),
        (["ocr"], 2, "FILE"),
        (["ocr", "a.png", "--as", "json", "--question", "Who?"], 2, "--question"),
        (["ask", "Hi", "--unknown"], 2, "--unknown"),
        (["bench", "--against", "other"], 1, "no adapter"),
        (["bench", "--model", "/nowhere"], 1, "cabochon could not be measured: /nowhere is not a folder."),
        (["models", "quantize", "/nowhere", "/nowhere/small"], 1, "not a folder"),
        (["models", "quantize", str(SAMPLE), str(SAMPLE.parent)], 1, "exists already"),
        (["models", "quantize", str(SAMPLE), "/nowhere/small", "--bits", "3"], 2, "4, 6, 8"),
        (["models", "quantize", str(SAMPLE)], 2, "DST"),
    ],
)
def test_mistakes_are_one_sentence_and_the_right_status(
    cabochon: Cabochon, arguments: list[str], status: int, words: str
) -> None:
    run = cabochon(*arguments)
    assert run.returncode == status
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_without_a_display_the_window_is_a_sentence() -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere there is always a display")
    places = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in places}
    command = [sys.executable, "-m", "app"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=environment)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == ("There is no display to open a window on. See cabochon --help for what works without one.\n")


def test_version_and_help(cabochon: Cabochon) -> None:
    assert started("--version").stdout.strip() == f"cabochon {version.VERSION}"
    listing = cabochon("--help").stdout
    assert all(command in listing for command in ("ask", "ocr", "selftest", "bench", "models"))


def test_system_text_and_model_folder_are_taken(cabochon: Cabochon, tiny_checkpoint: Path, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "red").save(tmp_path / "red.png")
    plain, instructed = (
        events_of(cabochon("ask", "Hi", "--model", tiny_checkpoint, "--max-tokens", 1, "--json", *extra).stdout)[0]
        for extra in ([], ["--system", "Be brief."])
    )
    assert isinstance(plain, PromptReady)
    assert isinstance(instructed, PromptReady)
    assert instructed.num_tokens > plain.num_tokens


def test_bench_prints_figures_of_this_run(tiny_checkpoint: Path) -> None:
    sizes = ("--rounds", 1, "--prompt-tokens", 40, "--new-tokens", 8)
    run = started("bench", "--model", tiny_checkpoint, "--against", "json-mask", *sizes)
    report = json.loads(run.stdout)
    assert report["ratio"]["json-mask"]["decode_tokens_per_second"] > 0
    figures = report["median"]["cabochon"]
    assert set(figures) == {"load_s", "time_to_first_token_s", "prefill_tokens_per_second", "decode_tokens_per_second",
                            "peak_memory_bytes", "decode_tokens_per_second_4_rows",
                            "decode_tokens_per_second_8_rows"}  # fmt: skip
    assert all(value > 0 for value in figures.values())


def test_models_quantize_writes_a_folder_that_answers(cabochon: Cabochon, sign: Path, tmp_path: Path) -> None:
    run = started("models", "quantize", SAMPLE, tmp_path / "small", "--bits", 8)
    assert (run.returncode, run.stderr.strip()) == (0, "")
    assert run.stdout.startswith(f"{tmp_path / 'small'}: ")
    assert cabochon("ocr", sign, "--budget", 140, "--model", tmp_path / "small").stdout == "OPEN 24\n"


# Whoever runs the tests may ignore signals (nohup does), and children would too.
STOPPED = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from engine.cli import commands, models
write = models.quantize_checkpoint
models.quantize_checkpoint = lambda *given: write(*given[:3], lambda fraction: os.kill(os.getpid(), int(sys.argv[1])))
sys.exit(commands.run_command_line(["models", "quantize", *sys.argv[2:]]))
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_models_quantize_leaves_nothing_when_its_terminal_is_closed(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", STOPPED, str(int(number)), str(SAMPLE), str(tmp_path / "small")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (run.returncode, run.stdout) == (130, "")
    assert "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_models_quantize_tells_its_progress_and_its_failure_in_json(cabochon: Cabochon, tmp_path: Path) -> None:
    runs = [cabochon("models", "quantize", SAMPLE, tmp_path / "small", "--json") for _ in range(2)]
    lines = [[json.loads(line) for line in run.stdout.splitlines()] for run in runs]
    fractions = [line["fraction"] for line in lines[0] if line["event"] == "quantize_progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    last = lines[0][-1]
    assert (last["event"], last["folder"]) == ("quantized", str(tmp_path / "small"))
    assert 0 < last["size_bytes"] < last["source_bytes"]
    assert [line["event"] for line in lines[1]] == ["failed"]
    assert "exists already" in lines[1][0]["message"]
    assert [run.returncode for run in runs] == [0, 1]
