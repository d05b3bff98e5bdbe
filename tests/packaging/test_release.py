"""Scripts and workflows of a release: they parse, call what is there, and name no host and no secret."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "packaging").glob("*.sh"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_and_says_how_it_is_used(script: Path) -> None:
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    assert re.search(rf"^# Usage: {re.escape(script.name)} ", script.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", [*WORKFLOWS, *SCRIPTS], ids=lambda path: path.name)
def test_no_host_and_no_secret_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"://|secrets\.|index-url", text)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_targets_that_exist(workflow: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = set(re.findall(r"make (\w+)", workflow.read_text(encoding="utf-8")))
    assert called <= targets


def test_the_checklist_takes_half_an_hour() -> None:
    text = (ROOT / "packaging" / "README.md").read_text(encoding="utf-8")
    minutes = [int(each) for each in re.findall(r"^\d+\. \((\d+) min\)", text, re.MULTILINE)]
    assert len(minutes) > 8
    assert sum(minutes) <= 30
