"""Colours, type, icons and what is drawn in the background."""
