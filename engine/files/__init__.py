"""Files of a model, and files of ours."""
