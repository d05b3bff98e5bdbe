"""What the window knows and says. QtCore only: every decision and every wording, no widget."""
