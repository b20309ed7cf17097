"""Formats of files that PIL does not read, by their first bytes."""

from __future__ import annotations

HEAD = 256  # bytes that `name_format` needs

_BRANDS = {  # by the first three letters of the brand in a file of ISO 14496-12
    b"avi": "AVIF",
    b"crx": "the raw format CR3",
    **dict.fromkeys((b"hei", b"hev", b"mif", b"msf"), "HEIC"),
}
_BEGINNINGS = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"FUJIFILMCCD-RAW": "the raw format RAF",
    b"%PDF": "PDF",
    b"PK\x03\x04": "a zip",
    b"Rar!": "a RAR archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x1a\x45\xdf\xa3": "a video",
    b"version https://git-lfs": "a pointer of git-lfs",
}
_TEXTS = {b"<svg": "SVG", b"<!doctype html": "an HTML page", b"<html": "an HTML page"}

CONVERTIBLE = frozenset(
    ["AVIF", "HEIC", "JPEG XL", "PDF", "SVG", "the raw format CR3", "the raw format RAF"]
)
"""Formats that other programs convert to JPEG or PNG."""


def name_format(head: bytes) -> str:
    """Return the format of a file, such as ``HEIC``; empty if it is unknown.

    Args:
        head: the first `HEAD` bytes of the file.

    >>> name_format(bytes(4) + b"ftypheic")
    'HEIC'
    """
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:11], "a video")
    for beginning, name in _BEGINNINGS.items():
        if head.startswith(beginning):
            return name
    text = head.lstrip().lower()
    return next((name for tag, name in _TEXTS.items() if _is_markup(text, tag)), "")


def _is_markup(text: bytes, tag: bytes) -> bool:
    return text.startswith(tag) or (text.startswith((b"<?xml", b"<!--")) and tag in text)
