"""What a user may write for a model: ``dcgan-mnist``, ``./folder``, ``hf://org/repo@revision``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ganzoo.errors import NameSyntaxError

_REGISTERED = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*(?:@[1-9][0-9]*)?")
_HUB_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HUB = re.compile(rf"hf://({_HUB_PART}/{_HUB_PART})(?:@([A-Za-z0-9._/-]+))?")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ZooName:
    """A registered name, optionally with the distribution that registers it."""

    name: str
    distribution: str | None = None

    def __str__(self) -> str:
        return f"{self.distribution}:{self.name}" if self.distribution else self.name


@dataclass(frozen=True)
class HubName:
    """A repository on the Hugging Face Hub; without a revision, its main branch."""

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"hf://{self.repository}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True)
class HubModel:
    """A model that lies on the Hub, to the last bit: what a plugin registers and does not ship.

    Attributes:
        repository: ``org/repo``.
        commit: its full hash.
        size: bytes of all files of the bundle; a file that is larger is not downloaded.
        sha256: of the commit's SHA256SUMS, in hexadecimal, and so of all files that it lists.

    Raises:
        NameSyntaxError: a field of another form.
    """

    repository: str
    commit: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        if not _HUB.fullmatch(f"hf://{self.repository}") or not is_commit(self.commit):
            raise NameSyntaxError(f"{self} is no hf://org/repo@ and the 40 hex digits of a commit.")
        if self.size < 1 or not _SHA256.fullmatch(self.sha256):
            raise NameSyntaxError(
                f"{self}: size {self.size} and sha256 {self.sha256!r} must be a number of bytes "
                "and 64 hex digits. `ganzoo push` prints them."
            )

    def __str__(self) -> str:
        return f"hf://{self.repository}@{self.commit}"


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit's full hash, which never means anything else."""
    return _COMMIT.fullmatch(revision) is not None


def is_revision(text: str) -> bool:
    """Whether a text can be a branch, a tag or a commit; the client takes others for paths."""
    return _REVISION.fullmatch(text) is not None and ".." not in text


def is_registrable(name: str) -> bool:
    """Whether a name is lower-case words joined by ``-``, ``.`` or ``_``, or such with ``@1``."""
    return _REGISTERED.fullmatch(name) is not None


def parse_registered(text: str) -> ZooName:
    """Parse ``name`` or ``distribution:name``; a name may end in a version, ``name@1``.

    Raises:
        NameSyntaxError: not lower-case words joined by ``-``, ``.`` or ``_``.
    """
    distribution, colon, name = text.rpartition(":")
    if not is_registrable(name) or (colon and not re.fullmatch(_HUB_PART, distribution)):
        raise NameSyntaxError(
            f"{text!r} is not a name: names are lower-case words joined by '-', '.' or '_', "
            "such as 'dcgan-mnist'. A folder starts with './' or '/'."
        )
    return ZooName(name, distribution or None)


def parse_model_name(text: str | Path) -> ZooName | HubName | Path:
    """Say what a model name means; a `Path`, or a text that looks like one, is a folder.

    Raises:
        NameSyntaxError: the text is none of the three forms.
    """
    if isinstance(text, Path):
        return text
    if text.startswith("hf://"):
        match = _HUB.fullmatch(text)
        if not match:
            raise NameSyntaxError(
                f"{text!r} is not a Hub name. Write hf://org/repo or hf://org/repo@revision."
            )
        return HubName(match[1], match[2])
    if "\0" in text:
        raise NameSyntaxError(f"{text!r} is not a name: no file system takes the character NUL.")
    if text.startswith("~") or text in {".", ".."} or "/" in text or "\\" in text:
        try:
            return Path(text).expanduser()
        except RuntimeError as error:
            raise NameSyntaxError(f"{text!r} is not a folder: {error}") from error
    return parse_registered(text)
