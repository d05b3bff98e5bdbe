"""From files to what the models take in. Knows nothing of MLX: arrays here are NumPy's."""
