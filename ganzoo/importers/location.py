"""Find a checkpoint: a local file or folder, or a file on the Hub."""

from __future__ import annotations

from pathlib import Path


def locate(file: str | Path) -> tuple[Path, str]:
    """Return the path of a checkpoint, and its address; a file on the Hub is downloaded.

    Raises:
        NameSyntaxError: the address has another form.
        HubError: the file cannot be downloaded.
    """
    if not str(file).startswith("hf://"):
        return Path(file), ""
    from ganzoo.hub import download_file

    return download_file(str(file))
