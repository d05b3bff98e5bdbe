"""What a model has a sense for."""

from collections.abc import Collection, Iterable

from engine.protocol.errors import PromptError
from engine.protocol.messages import Media, Picture, Sound

__all__ = ["check_senses"]


def check_senses(parts: Iterable[Media], modalities: Collection[str]) -> None:
    """Refuse what the model has no sense for, before any file is opened; raises PromptError."""
    for part in parts:
        if isinstance(part, Sound) and "sound" not in modalities:
            raise PromptError(
                "This model cannot hear. Remove the sound, or choose one that can: Gemma 4 E2B, E4B or 12B."
            )
        if not isinstance(part, Sound) and "picture" not in modalities:
            what = "pictures" if isinstance(part, Picture) else "videos"
            raise PromptError(f"This model cannot see {what}. Remove them, or choose a complete Gemma 4 model.")
