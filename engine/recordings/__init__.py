"""Recordings of any length: decoded block by block, cut where nobody speaks, and written as text."""
