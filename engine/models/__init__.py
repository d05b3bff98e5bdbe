"""Gemma 4 in MLX: arrays in, arrays out. Nothing here touches files, text or logging."""
