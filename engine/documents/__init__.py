"""Documents: files of pages, looked at, drawn, cut into what a model reads, put together again and written."""
