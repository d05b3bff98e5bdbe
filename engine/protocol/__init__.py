"""What crosses the pipe between the processes: values without behaviour."""
