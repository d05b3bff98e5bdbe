"""The reading view: pages and their text side by side."""
