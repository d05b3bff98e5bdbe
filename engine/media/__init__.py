"""Files as they are opened: sound as libsndfile or FFmpeg read it, video as FFmpeg reads it."""
