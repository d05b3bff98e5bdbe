"""From a model folder to a model: read strictly, name what is wrong, leave nothing unexplained."""
