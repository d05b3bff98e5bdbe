"""A recording as it is seen: its wave beside its words."""
