"""What the window looks like. Widgets show a view model's state and report gestures; they decide nothing."""
