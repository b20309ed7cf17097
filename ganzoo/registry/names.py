"""Names of models: ``dcgan-mnist``, ``./folder`` or ``hf://org/repo@revision``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ganzoo.errors import NameSyntaxError
from ganzoo.spec.parsing import shorten

_REGISTERED = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*(?:@[1-9][0-9]*)?")
_HUB_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HUB = re.compile(rf"hf://({_HUB_PART}/{_HUB_PART})(?:@([A-Za-z0-9._/-]+))?")
# What people write for a repository: its URL, another spelling of hf://, or org/name alone.
_HUB_LIKE = re.compile(
    rf"(?:https?:/+[^/\s]+/|hf:/*|[\w-]+(?:\.[\w-]+)+/|)(?:models/)?"
    rf"(?P<name>{_HUB_PART}/{_HUB_PART})"
    r"(?:/(?:tree|blob|resolve|raw|commit)/(?P<revision>[A-Za-z0-9._-]+)(?:/.*)?|@(?P<at>[\w./-]+))?"
    r"/?(?:[?#].*)?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+-]+:/+[^/]|hf:[^/]+/", re.IGNORECASE)
_MAX_NAME = 300  # characters of a text that may mean a repository
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
    """A model at one commit on the Hub, which a plugin registers instead of shipping its files.

    Attributes:
        repository: ``org/repo``.
        commit: full hash of the commit.
        size: total size of the bundle's files in bytes; larger files are not downloaded.
        sha256: hexadecimal SHA-256 of the bundle's SHA256SUMS, which lists those of all files.

    Raises:
        NameSyntaxError: a field has another form.
    """

    repository: str
    commit: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        if not _HUB.fullmatch(f"hf://{self.repository}") or not is_commit(self.commit):
            raise NameSyntaxError(
                f"{self} is not a Hub model at a commit. Write org/repo and the 40 hex digits of "
                "the commit; `ganzoo push` prints them."
            )
        if isinstance(self.size, bool) or self.size < 1 or not _SHA256.fullmatch(self.sha256):
            raise NameSyntaxError(
                f"{self}: size {self.size} and sha256 {self.sha256!r} must be a number of bytes "
                "and 64 hex digits. `ganzoo push` prints them."
            )

    def __str__(self) -> str:
        return f"hf://{self.repository}@{self.commit}"


def is_commit(revision: str) -> bool:
    """Return whether a revision is the full hash of a commit."""
    return _COMMIT.fullmatch(revision) is not None


def is_revision(text: str) -> bool:
    """Return whether a text can name a branch, a tag or a commit, and not a path."""
    return _REVISION.fullmatch(text) is not None and ".." not in text


def suggest_hub_name(text: str) -> str:
    """Return the Hub name that a URL, a misspelt scheme or ``org/name`` means; empty if none."""
    match = _HUB_LIKE.fullmatch(text[: _MAX_NAME + 1])
    if not match or len(text) > _MAX_NAME:
        return ""
    revision = match["revision"] or match["at"]
    return str(HubName(match["name"], None if revision == "main" else revision))


def is_registrable(name: str) -> bool:
    """Return whether a name is lower-case words joined by ``-``, ``.`` or ``_``, plus ``@1``."""
    return _REGISTERED.fullmatch(name) is not None


def parse_registered(text: str) -> ZooName:
    """Parse ``name`` or ``distribution:name``; a name may end in a version, ``name@1``.

    Raises:
        NameSyntaxError: the name is not lower-case words joined by ``-``, ``.`` or ``_``.
    """
    if not isinstance(text, str):
        raise NameSyntaxError(f"{shorten(repr(text))} is not a name. Pass text.")
    distribution, colon, name = text.rpartition(":")
    if not is_registrable(name) or (colon and not re.fullmatch(_HUB_PART, distribution)):
        raise NameSyntaxError(
            f"{text!r} is not a name: names are lower-case words joined by '-', '.' or '_', "
            "such as 'dcgan-mnist'. A folder starts with './' or '/'."
        )
    return ZooName(name, distribution or None)


def parse_model_name(text: str | Path) -> ZooName | HubName | Path:
    """Parse the name of a model; a `Path`, or a text that looks like one, is a folder.

    Raises:
        NameSyntaxError: the text has none of the three forms.
    """
    if isinstance(text, Path):
        return text
    if not isinstance(text, str):
        raise NameSyntaxError(
            f"{shorten(repr(text))} is not the name of a model. Pass text, such as 'dcgan-mnist', "
            "or the Path of a folder."
        )
    if text.startswith("hf://"):
        match = _HUB.fullmatch(text)
        if not match:
            name = suggest_hub_name(text)
            hint = f" Did you mean {name!r}?" if name else ""
            raise NameSyntaxError(
                f"{text!r} is not a Hub name. Write hf://org/repo or hf://org/repo@revision.{hint}"
            )
        return HubName(match[1], match[2])
    if _SCHEME.match(text):
        hint = f" Did you mean {name!r}?" if (name := suggest_hub_name(text)) else ""
        raise NameSyntaxError(
            f"{text!r} is an address, not the name of a model. A model on the Hub has a name such "
            f"as 'hf://org/repo'.{hint}"
        )
    if "\0" in text:
        raise NameSyntaxError(f"{text!r} is not a name: it contains the character NUL.")
    if text.startswith("~") or text in {".", ".."} or "/" in text or "\\" in text:
        try:
            return Path(text).expanduser()
        except RuntimeError as error:
            raise NameSyntaxError(f"{text!r} is not a folder: {error}") from error
    return parse_registered(text)
