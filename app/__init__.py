"""Cabochon's window: a chat app that speaks to the engine in a process of its own."""
