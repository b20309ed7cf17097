"""Download one file of any repository on the Hub, such as a checkpoint of another project."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError

from ganzoo.bundle import CONFIG, MAX_BYTES
from ganzoo.errors import HubError, NameSyntaxError
from ganzoo.hub.client import Connection, connect, is_intact, warn_once
from ganzoo.hub.download import ask, find_cached
from ganzoo.hub.failures import UnreachableError, translated_errors
from ganzoo.registry.names import is_commit, is_revision

_ADDRESS = re.compile(
    r"hf://(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)"
    r"/(?P<file>[^/@\\\s][^@\\\s]*)(?:@(?P<revision>[A-Za-z0-9._/-]+))?"
)


def download_file(address: str) -> tuple[Path, str]:
    """Download a file, and the config.json of its folder if there is one.

    With a commit's full hash, cached files are used without any request.

    Args:
        address: ``hf://org/repo/FILE`` or ``hf://org/repo/FILE@revision``.

    Returns:
        The file in the client's cache, and its address at the commit.

    Raises:
        NameSyntaxError: the address has another form.
        HubError: the file does not exist, needs a login, is too large or cannot be downloaded.
    """
    match = _ADDRESS.fullmatch(address)
    revision = match["revision"] or constants.DEFAULT_REVISION if match else ""
    if not match or ".." in match["file"].split("/") or not is_revision(revision):
        raise NameSyntaxError(
            f"{address!r} is not a file on the Hub. Write hf://org/repo/FILE or "
            "hf://org/repo/FILE@revision."
        )
    repository, file = match["repository"], match["file"]
    path = _find_intact(repository, file, revision)
    if path is None or not is_commit(revision):
        try:
            with translated_errors(address, file), connect() as connection:
                path = _fetch(connection, repository, file, revision)
        except UnreachableError:
            if path is None:
                raise
            warn_once(f"{address}: the Hub is unreachable, so the file in the cache is used")
    return path, f"hf://{repository}/{file}@{_commit(path, file)}"


def _find_intact(repository: str, file: str, revision: str) -> Path | None:
    """Return a file in the client's cache; None if it, or its config, is not there or damaged."""
    path = find_cached(repository, file, revision)
    places = [path, path.with_name(CONFIG)] if path else []
    return path if all(is_intact(place) for place in places if place.is_file()) else None


def _fetch(connection: Connection, repository: str, file: str, revision: str) -> Path:
    """Download a file, after the config.json beside it: the file in the cache has its config."""
    config = "/".join([*file.split("/")[:-1], CONFIG])
    try:
        commit, *_ = ask(connection, repository, file, revision)
    except EntryNotFoundError as error:
        raise HubError(
            f"the repository {repository} has no file {file!r} at {revision}. Its page lists its "
            f"files: {constants.ENDPOINT}/{repository}/tree/{revision}"
        ) from error
    while True:
        with contextlib.suppress(EntryNotFoundError):  # most repositories have none
            _download(connection, repository, config, commit)
        path = _download(connection, repository, file, revision)
        if _commit(path, file) == commit:
            return path
        commit = _commit(path, file)  # the branch has moved meanwhile


def _commit(path: Path, file: str) -> str:
    """Return the commit of a file in the client's cache."""
    return path.parents[file.count("/")].name


def _download(connection: Connection, repository: str, file: str, revision: str) -> Path:
    _, size, token = ask(connection, repository, file, revision)
    if size is not None and size > MAX_BYTES:
        raise HubError(
            f"{repository}: {file} has {size:,} bytes, but the limit is {MAX_BYTES:,}. It is not "
            "downloaded."
        )
    return connection.download(repository, file, revision=revision, token=token)
