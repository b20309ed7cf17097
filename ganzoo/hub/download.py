"""Download a model's files from one commit on the Hub and verify each against SHA256SUMS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    HfHubHTTPError,
    RevisionNotFoundError,
)

from ganzoo.bundle import (
    CHECKSUMS,
    CONFIG,
    MAX_BYTES,
    MAX_CHECKSUMS,
    Bundle,
    check_size,
    read_checksums,
)
from ganzoo.bundle.files import git_hash, sha256
from ganzoo.errors import BundleError, HubError, NameSyntaxError
from ganzoo.hub.client import Connection, connect, warn_once
from ganzoo.hub.failures import (
    RateLimitError,
    UnreachableError,
    may_take_token,
    translated_errors,
)
from ganzoo.registry.names import HubModel, HubName, is_commit, is_revision
from ganzoo.spec import MAX_CONFIG, ModelSpec


@dataclass(frozen=True)
class Snapshot:
    """The files of a repository at one commit, in the client's own cache.

    Attributes:
        name: the model, as the user wrote it.
        repository: ``org/repo``.
        commit: full hash.
        pinned: the size and checksum that a plugin registered for the commit, None without one.
    """

    name: HubName | HubModel
    repository: str
    commit: str
    pinned: HubModel | None = None

    def fetch(self, file: str) -> Path:
        """Return a file that matches SHA256SUMS, from the cache or from the Hub.

        The client does not verify its downloads. A file that does not match is downloaded a second
        time, unless an intact SHA256SUMS does not list it.

        Raises:
            BundleError: the file does not match its checksum, or SHA256SUMS does not list it.
            HubError: the file is not in the cache and cannot be downloaded.
        """
        try:
            return self._verify(file, force=False)
        except BundleError as mismatch:
            if self._is_unlisted(file):
                raise
            try:
                return self._verify(file, force=True)
            except UnreachableError:
                raise mismatch from None

    def _is_unlisted(self, file: str) -> bool:
        sums = find_cached(self.repository, CHECKSUMS, self.commit)
        if sums is None or sums.stat().st_size > MAX_CHECKSUMS:
            return False
        # The cache names a file by its git hash. A damaged file may not even parse.
        is_intact = sums.resolve().name == git_hash(sums.read_bytes())
        return is_intact and file not in read_checksums(sums.parent)

    def _verify(self, file: str, *, force: bool) -> Path:
        sums = self._download(CHECKSUMS, force=force)
        if self.pinned and sha256(sums) != self.pinned.sha256:
            raise BundleError(
                f"{self.name}: {CHECKSUMS} differs from the one registered with the model. "
                "Report this to the author of the plugin that registers the model."
            )
        checksums = read_checksums(sums.parent)
        if file not in checksums:
            raise BundleError(
                f"{self.name}: {CHECKSUMS} does not list {file}, so the file cannot be verified. "
                f"It lists {', '.join(sorted(checksums))}. Use another runtime, or tell the "
                "repository's owner."
            )
        path = self._download(file, force=force)
        check_size(path, MAX_BYTES)
        if sha256(path) != checksums[file]:
            raise BundleError(
                f"{self.name}: {file} does not match its checksum in {CHECKSUMS}, so it is not "
                "loaded. Load the model again to repeat the download. If the error stays, tell the "
                "repository's owner."
            )
        return path

    def _download(self, file: str, *, force: bool) -> Path:
        with translated_errors(self.name, file):
            if not force and (path := find_cached(self.repository, file, self.commit)):
                return path
            with connect() as connection:
                token = self._ask(connection, file)
                connection.retry(
                    lambda: connection.api.hf_hub_download(
                        self.repository,
                        file,
                        revision=self.commit,
                        token=token,
                        force_download=force,
                    )
                )
            if path := find_cached(self.repository, file, self.commit):
                return path
        raise HubError(
            f"{self.name}: {file} was downloaded, but is not in the cache, "
            f"{constants.HF_HUB_CACHE}. Try again."
        )

    def _ask(self, connection: Connection, file: str) -> bool | None:
        """Check a file's commit and size before its download, and return the token to use."""
        commit, size, token = ask(connection, self.repository, file, self.commit)
        if commit != self.commit:
            raise HubError(
                f"{self.name}: the Hub answers with another commit, {commit}. Check HF_ENDPOINT."
            )
        limit = {CHECKSUMS: MAX_CHECKSUMS, CONFIG: MAX_CONFIG}.get(file, MAX_BYTES)
        if size is not None and size > limit:
            raise HubError(
                f"{self.name}: {file} has {size:,} bytes, but the limit is {limit:,}. It is not "
                "downloaded. Tell the repository's owner."
            )
        if self.pinned and size is not None and size > self.pinned.size:
            raise HubError(
                f"{self.name}: {file} has {size:,} bytes, but the registered size of the whole "
                f"model is {self.pinned.size:,}. It is not downloaded. Report this to the author "
                "of the plugin that registers the model."
            )
        return token


@dataclass(frozen=True, kw_only=True)
class HubBundle(Bundle):
    """A bundle whose files are downloaded and verified when they are needed."""

    snapshot: Snapshot

    def file(self, name: str) -> Path:
        """Return one of its files, verified; download it if it is not in the cache."""
        return self.snapshot.fetch(name)

    def holds(self, name: str) -> bool:
        """Return whether the bundle has this file, in the cache or on the Hub."""
        return name in read_checksums(self.path)


def pull(name: HubName | HubModel) -> Bundle:
    """Open a model of the Hub or of the cache; download only its config.

    With a commit's full hash, cached files are used without any request.

    Raises:
        HubError: the model does not exist, needs a login, or cannot be downloaded.
        BundleError: the repository holds no bundle, or a damaged one.
    """
    pinned = name if isinstance(name, HubModel) else None
    commit = name.commit if isinstance(name, HubModel) else resolve(name)
    snapshot = Snapshot(name, name.repository, commit, pinned)
    config = snapshot.fetch(CONFIG)
    check_size(config, MAX_CONFIG)
    spec = ModelSpec.from_json(config.read_bytes(), where=f"{CONFIG} of {name}")
    return HubBundle(config.parent, spec, snapshot=snapshot)


def resolve(name: HubName) -> str:
    """Return the commit that a name points to, or the last known one if the Hub is unreachable.

    Raises:
        NameSyntaxError: the revision is not a valid name of a branch or tag.
        HubError: the repository or revision does not exist or needs a login, or the Hub is
            unreachable and the cache does not know the revision.
    """
    repository, revision = name.repository, name.revision or constants.DEFAULT_REVISION
    if is_commit(revision):
        return revision
    if not is_revision(revision):
        raise NameSyntaxError(
            f"{name}: {revision!r} is not a valid branch or tag. Write the name of a branch or "
            "tag, or a commit's full hash, after @."
        )
    try:
        with translated_errors(name, CONFIG), connect() as connection:
            commit, _, token = ask(connection, repository, CONFIG, revision)
            if commit != _known(repository, revision):
                # This also records the branch's commit in the cache.
                config = connection.retry(
                    lambda: connection.api.hf_hub_download(
                        repository, CONFIG, revision=revision, token=token
                    )
                )
                commit = Path(config).parent.name
        state = f"points to commit {commit}"
    except UnreachableError:
        known = _known(repository, revision)
        if known is None:
            raise
        commit = known
        state = f"pointed to commit {commit} when the Hub, now unreachable, last answered"
    warn_once(
        f"{name} follows {revision!r}, which {state}. To pin this version, write "
        f"hf://{repository}@{commit}"
    )
    return commit


def _known(repository: str, revision: str) -> str | None:
    """Return the commit that the cache has recorded for a branch or tag."""
    config = find_cached(repository, CONFIG, revision)
    return config.parent.name if config and is_commit(config.parent.name) else None


def find_cached(repository: str, file: str, revision: str) -> Path | None:
    """Return a file in the client's cache, or None.

    Raises:
        HubError: it is a link that leads out of the cache.
    """
    path = try_to_load_from_cache(repository, file, revision=revision)
    if not isinstance(path, str):
        return None
    if not Path(path).resolve().is_relative_to(Path(constants.HF_HUB_CACHE).resolve()):
        raise HubError(
            f"{repository}: the cached {file} is a link to a file outside the cache, "
            f"{Path(path).resolve()}. It is not loaded. Remove {Path(path).parent} and load the "
            "model again."
        )
    return Path(path)


def ask(
    connection: Connection, repository: str, file: str, revision: str
) -> tuple[str, int | None, bool | None]:
    """Return a file's commit and size, and the token that its download needs.

    The first request sends no token, so that an expired token does not block a public model.
    """
    url = hf_hub_url(repository, file, revision=revision)
    token: bool | None = False
    try:
        metadata = connection.retry(
            lambda: connection.api.get_hf_file_metadata(url=url, token=False)
        )
    except (RevisionNotFoundError, EntryNotFoundError):
        raise
    except (HfHubHTTPError, RateLimitError) as error:
        if not may_take_token(error):
            raise
        token = None  # the user's own
        metadata = connection.retry(
            lambda: connection.api.get_hf_file_metadata(url=url, token=None)
        )
    if not is_commit(metadata.commit_hash or ""):
        raise FileMetadataError("no commit")
    assert metadata.commit_hash is not None
    return metadata.commit_hash, metadata.size, token
