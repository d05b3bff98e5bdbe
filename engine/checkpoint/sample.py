"""Where the built-in sample checkpoint lies: beside the packages, in a checkout, a wheel and a bundle alike."""

from pathlib import Path

__all__ = ["sample_checkpoint"]


def sample_checkpoint() -> Path:
    """The folder of the built-in sample, a tiny model that reads, hears and adds up a little. It is not Gemma."""
    return Path(__file__).resolve().parents[2] / "resources" / "sample"
