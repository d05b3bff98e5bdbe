"""The one executable: the window, the command line, or the engine's child process, decided before any Qt import."""

import sys

COMMANDS = ("ask", "bench", "ocr", "selftest", "--help", "-h", "--version")


def main() -> int:
    """Run what the arguments ask for and return the exit status."""
    arguments = sys.argv[1:]
    if "--engine" in arguments:
        from engine import run_engine_process

        return run_engine_process()
    if arguments and arguments[0] in COMMANDS:
        from engine import run_command_line

        return run_command_line(arguments)
    from app.application import main as open_window

    return open_window(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
