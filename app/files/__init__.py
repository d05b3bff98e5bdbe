"""Files that the app makes for a while, and text files of others."""
