"""From messages to token ids and the places that media fill."""
