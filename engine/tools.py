"""Tools as values: what the model is told that it may call."""

from typing import Any

import msgspec

__all__ = ["Tool"]


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declaration of a function that the model may call."""

    name: str
    """Letters, digits and `_ . : -`."""
    description: str = ""
    parameters: dict[str, Any] = {}
    """JSON Schema of an object: one property per argument. Empty for a function without arguments."""
    response: dict[str, Any] = {}
    """JSON Schema of what it gives, if that is worth telling."""
