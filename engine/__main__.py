"""`python -m engine`: serve requests over stdin and stdout."""

from engine.process.worker import run_engine_process

if __name__ == "__main__":
    raise SystemExit(run_engine_process())
