"""The engine in a process of its own, and work in limited ones."""
