"""How often a JPEG goes over its pixels, which is what decoding it costs; told by its markers, without decoding."""

import mmap
import re
from typing import BinaryIO

__all__ = ["num_scans"]

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""What ends the data of a scan: neither a stuffed zero nor a restart."""

_START_OF_SCAN, _END, _TEMPORARY = 0xDA, 0xD9, 0x01


def num_scans(file: BinaryIO, enough: int) -> int:
    """Scans of the first picture in a JPEG, at most `enough` + 1 of them."""
    place, found = 2, 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while found <= enough and (marker := _MARKER.search(data, place)):
            place = marker.end()
            kind = data[place - 1]
            if kind == _END:
                break
            found += kind == _START_OF_SCAN
            if kind != _TEMPORARY:
                place += int.from_bytes(data[place : place + 2], "big")
    return found
