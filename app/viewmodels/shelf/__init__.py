"""The conversations beside the one that is open: rows, search, what goes on, what is kept."""
