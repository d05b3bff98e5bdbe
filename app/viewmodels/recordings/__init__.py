"""Recordings that are written down: how far they are, and what was said."""
