"""What is written and attached, until it is sent."""
