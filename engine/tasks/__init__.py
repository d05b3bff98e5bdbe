"""What people ask for by name, made of the steps of the pipeline."""
