"""Many answers at once: what one is, and whose chunk or step is next. It runs on the thread that owns MLX."""
