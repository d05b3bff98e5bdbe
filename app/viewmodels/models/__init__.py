"""The model: which, in what state, resting or not."""
