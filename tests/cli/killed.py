"""A run that writes a recording down and is killed at a piece of it, by itself: never sooner, never too late."""

import signal
import subprocess
import sys

KILLED = """
import os, signal, sys
from engine.cli import commands, recordings
read, last = recordings.read_recording, int(sys.argv[1])
def read_until(*given, **named):
    for number, event in enumerate(read(*given, **named)):
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)
        yield event
recordings.read_recording = read_until
sys.exit(commands.run_command_line(sys.argv[2:]))
"""


def run_and_kill(num_pieces: int, *arguments: str) -> None:
    """Run the command line until it has kept so many pieces, and end it as a kill does."""
    command = [sys.executable, "-c", KILLED, str(num_pieces), *arguments]
    run = subprocess.run(command, capture_output=True, check=False, timeout=240)
    assert run.returncode == -signal.SIGKILL, run.stderr.decode()
