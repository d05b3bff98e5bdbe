"""What macOS alone offers."""
