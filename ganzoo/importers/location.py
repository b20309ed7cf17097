"""Find a checkpoint: a local file or folder, or a file on the Hub."""

from __future__ import annotations

import re
from pathlib import Path

from ganzoo.errors import ImportFileError

# What people write for a file on the Hub: its URL, or org/repo/FILE.
_HUB_FILE = re.compile(
    r"(?P<host>https?://(?:huggingface\.co|hf\.co)/)?(?P<name>[\w.-]+/[\w.-]+)"
    r"(?:/(?:blob|resolve|raw)/(?P<revision>[\w.-]+))?/(?P<file>[^@\\\s?#]+)(?:[?#].*)?"
)
_MAX_NAME = 300  # characters of a text that may mean a file on the Hub


def locate(file: str | Path) -> tuple[Path, str]:
    """Return the path of a checkpoint, and its address; a file on the Hub is downloaded.

    Raises:
        ImportFileError: it is an address, or a path of nothing that looks like one.
        NameSyntaxError: the address has another form.
        HubError: the file cannot be downloaded.
    """
    text = str(file)
    if not text.startswith("hf://"):
        is_address = re.match(r"\w+://", text) is not None
        try:
            path = Path(file).expanduser()
            exists = path.exists()
        except (OSError, RuntimeError) as error:  # a path that is too long, or of no user
            reason = str(getattr(error, "strerror", "") or error).removesuffix(".")
            raise ImportFileError(f"cannot find {text[:_MAX_NAME]!r}: {reason}.") from error
        if is_address or not exists:
            _advise(text, is_address)
        return path, ""
    from ganzoo.hub import download_file

    return download_file(text)


def _advise(text: str, is_address: bool) -> None:
    """Raise an error with the name of the file on the Hub that a text means, if it means one."""
    match = _HUB_FILE.fullmatch(text) if len(text) <= _MAX_NAME else None
    if match and (match["host"] or not is_address):
        revision = match["revision"] or "main"
        at = "" if revision == "main" else f"@{revision}"
        raise ImportFileError(
            f"file not found: {text}. For the file on the Hub, use "
            f"hf://{match['name']}/{match['file']}{at}"
        )
    if is_address:
        raise ImportFileError(
            f"{text} is an address, and ganzoo downloads checkpoints from the Hub alone. Download "
            "the file, and pass its path."
        )
