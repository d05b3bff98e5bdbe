"""Tools that the model may call in the window. Plain Python: what they may do, and how to say it."""

from app.tools.built_in import BuiltIn, Desktop, built_in_tools

__all__ = ["BuiltIn", "Desktop", "built_in_tools"]
