"""What a picture is, by how its file begins: its name may say something else."""

__all__ = ["HEAD_BYTES", "browser_kind"]

HEAD_BYTES = 12

_BEGINNINGS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}


def browser_kind(head: bytes) -> str | None:
    """The kind of a picture that every browser shows, by its first bytes; None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for beginning, kind in _BEGINNINGS.items() if head.startswith(beginning)), None)
