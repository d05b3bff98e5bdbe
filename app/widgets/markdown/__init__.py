"""Text that can be read, selected and copied."""
