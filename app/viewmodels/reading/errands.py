"""What a view model of a document needs of the way to the engine."""

from collections.abc import Callable
from typing import Protocol

from app.asking import Errand
from engine import DocumentRequest

__all__ = ["Errands"]


class Errands(Protocol):
    """Who carries a request about a document to the engine."""

    def errand(self, make: Callable[[int], DocumentRequest]) -> Errand:
        """Send the request that `make` gives a number."""
