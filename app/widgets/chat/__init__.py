"""A conversation and the place to write."""
