"""The command line."""

from engine.cli.commands import run_command_line

__all__ = ["run_command_line"]
