"""What is spoken to a person, and the conversation that is only spoken."""
