"""What is kept between tokens and between turns: keys and values, and whose they are."""
