"""Documents in the window: what is open, what is read of it, what a person made of that."""
