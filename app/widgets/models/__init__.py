"""The models: the list of them, one model, its licence, the first start."""
