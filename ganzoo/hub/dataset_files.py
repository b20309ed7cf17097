"""Download the files of a dataset from one commit on the Hub, into ganzoo's cache folder."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RevisionNotFoundError,
)

from ganzoo.bundle.files import write_file
from ganzoo.cards.header import read_header
from ganzoo.errors import CardError, HubError, NameSyntaxError, OutputError
from ganzoo.hub.client import Connection, connect, warn_once
from ganzoo.hub.failures import RateLimitError, UnreachableError, may_take_token, translated_errors
from ganzoo.registry.names import is_commit, is_revision
from ganzoo.spec.json_text import read_json
from ganzoo.system.cache import cache_folder

CARD = "README.md"

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class DatasetFiles:
    """The files of a dataset's repository at one commit.

    Attributes:
        repository: ``org/name``.
        commit: full hash of the commit.
        names: paths of the files.
        header: fields of the header of its README; empty if it has none.
    """

    repository: str
    commit: str
    names: tuple[str, ...]
    header: dict[str, Any] = field(default_factory=dict)

    def fetch(self, names: Sequence[str]) -> list[Path]:
        """Return files from the cache, downloaded if they are not there.

        Raises:
            HubError: a file is not in the cache and cannot be downloaded.
        """
        places = [_cached(self.repository, name, self.commit) for name in names]
        absent = [name for name, place in zip(names, places, strict=True) if place is None]
        if absent:
            with _explained(self.repository), connect() as connection:
                for name in absent:
                    _download(connection, self.repository, name, self.commit)
        files = [_cached(self.repository, name, self.commit) for name in names]
        if missing := [name for name, file in zip(names, files, strict=True) if file is None]:
            raise HubError(
                f"{self.repository}: {missing[0]} was downloaded, but is not in the cache, "
                f"{_cache()}. Try again."
            )
        return [file for file in files if file is not None]


def list_dataset(repository: str, revision: str = "") -> DatasetFiles:
    """Return the files of a dataset's repository.

    With a commit's full hash that was listed before, no request is made.

    Args:
        repository: ``org/name``.
        revision: branch, tag or commit; empty for the main branch.

    Raises:
        NameSyntaxError: the repository or the revision has another form.
        HubError: they do not exist, need a login, or the Hub is unreachable.
    """
    revision = revision or constants.DEFAULT_REVISION
    if not _REPOSITORY.fullmatch(repository) or ".." in repository or not is_revision(revision):
        raise NameSyntaxError(
            f"{repository}, revision {revision!r}, is not a dataset on the Hub. Use "
            "--dataset.repository org/name, and --dataset.revision with a branch, tag or commit."
        )
    if is_commit(revision) and (known := _read_listing(repository, revision)):
        return known
    try:
        with _explained(repository), connect() as connection:
            commit, names = _ask(connection, repository, revision)
            if known := _read_listing(repository, commit):
                return known
            card = _download(connection, repository, CARD, commit) if CARD in names else None
    except UnreachableError as error:
        if latest := _latest_listing(repository):
            raise UnreachableError(
                f"{error} The cache has a commit of it: --dataset.revision {latest}"
            ) from None
        raise
    files = DatasetFiles(repository, commit, names, read_card(repository, card))
    _write_listing(files)
    return files


def _ask(connection: Connection, repository: str, revision: str) -> tuple[str, tuple[str, ...]]:
    """Return the commit of a revision and the names of its files."""

    def request(token: bool | None) -> Any:
        return connection.retry(
            lambda: connection.api.dataset_info(repository, revision=revision, token=token)
        )

    try:
        info = request(False)
    except (RevisionNotFoundError, EntryNotFoundError):
        raise
    except (HfHubHTTPError, RateLimitError) as error:
        if not may_take_token(error):
            raise
        info = request(None)  # the user's own
    names = tuple(sibling.rfilename for sibling in info.siblings or ())
    if not is_commit(info.sha or ""):
        raise HubError(f"{repository}: the Hub names no commit of the dataset. Check HF_ENDPOINT.")
    for name in names:
        if name.startswith("/") or "\\" in name or {"", ".", ".."} & set(name.split("/")):
            raise HubError(
                f"{repository} has a file {name[:80]!r}, whose path leads out of it. It is not "
                "downloaded. Tell the dataset's owner."
            )
    return info.sha, names


def _download(connection: Connection, repository: str, name: str, commit: str) -> Path:
    download = functools.partial(
        connection.download,
        repository,
        name,
        repo_type="dataset",
        revision=commit,
        cache_dir=_cache(),
    )
    try:
        return download(token=False)
    except (HfHubHTTPError, RateLimitError) as error:
        if not may_take_token(error):
            raise
        return download(token=None)


@contextlib.contextmanager
def _explained(repository: str) -> Iterator[None]:
    """Turn the client's errors into a `HubError` about a dataset."""
    with translated_errors(repository):
        try:
            yield
        except RevisionNotFoundError as error:
            raise HubError(
                f"{repository}: the dataset has no such branch, tag or commit. Leave out "
                "--dataset.revision to use the main branch."
            ) from error


def _cached(repository: str, name: str, commit: str) -> Path | None:
    path = try_to_load_from_cache(
        repository, name, cache_dir=_cache(), revision=commit, repo_type="dataset"
    )
    return Path(path) if isinstance(path, str) else None


def _cache() -> Path:
    return cache_folder() / "hub"


def _listing(repository: str, commit: str) -> Path:
    return cache_folder() / "hub" / "listings" / repository / f"{commit}.json"


def _read_listing(repository: str, commit: str) -> DatasetFiles | None:
    try:
        fields = read_json(_listing(repository, commit).read_bytes())
        names = tuple(map(str, fields["names"]))
        return DatasetFiles(repository, commit, names, dict(fields["header"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def _latest_listing(repository: str) -> str:
    files = list(_listing(repository, "0").parent.glob("*.json"))
    return max(files, key=lambda file: file.stat().st_mtime).stem if files else ""


def _write_listing(files: DatasetFiles) -> None:
    fields = {"names": files.names, "header": files.header}
    try:
        write_file(_listing(files.repository, files.commit), json.dumps(fields))
    except (OutputError, TypeError):  # a date in the header; then it is listed again
        return


def read_card(repository: str, card: Path | None) -> dict[str, Any]:
    """Return the fields of the header of a dataset's README; empty if it cannot be read.

    Args:
        repository: the dataset in warnings.
        card: the README; None if it has none.

    Warns:
        UserWarning: it cannot be read.
    """
    if card is None:
        return {}
    try:
        return read_header(card.read_text(encoding="utf-8-sig"))
    except (CardError, UnicodeDecodeError) as error:
        warn_once(f"{repository}: its README cannot be read, so its licence is unknown: {error}")
        return {}
