"""Models that use tools: the loop of turns, calls and results, in plain Python over whatever answers."""
