"""Stop strings: the answer ends before the first of them, and not a character of them is ever shown."""

from collections.abc import Sequence

__all__ = ["StopStrings"]


class StopStrings:
    """Feed it the answer piece by piece; it holds back only what may still become a stop string.

    The stop string that is complete first counts; of two that end at the same character, the longer one.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.is_found = False

    def push(self, text: str) -> str:
        """What may be shown now; may be empty. After a stop string is found, always empty."""
        if self.is_found:
            return ""
        text = self._held + text
        found = [(start + len(stop), start) for stop in self._stop if (start := text.find(stop)) >= 0]
        if found:
            self._held, self.is_found = "", True
            return text[: min(found)[1]]
        num_held = max((_overlap(text, stop) for stop in self._stop), default=0)
        shown = text[: len(text) - num_held]
        self._held = text[len(shown) :]
        return shown

    def flush(self) -> str:
        """What was held back, now that nothing follows it."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Number of characters at the end of the text that begin the stop string."""
    most = min(len(text), len(stop) - 1)
    return next((length for length in range(most, 0, -1) if text.endswith(stop[:length])), 0)
