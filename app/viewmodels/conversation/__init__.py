"""The conversation that is open: turns, steps, calls, what is found in it and written out."""
