"""A model of the Hub: of one commit, the files that are asked for, each as SHA256SUMS states it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_url, try_to_load_from_cache
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
from ganzoo.hub.client import connected, say_once
from ganzoo.hub.failures import (
    RateLimitError,
    UnreachableError,
    explained,
    may_take_token,
    persist,
)
from ganzoo.registry.names import HubModel, HubName, is_commit, is_revision
from ganzoo.spec import MAX_CONFIG, ModelSpec


@dataclass(frozen=True)
class Snapshot:
    """The files of a repository at one commit, in the client's own cache.

    Attributes:
        name: the model, as the user named it.
        repository: ``org/repo``.
        commit: full hash.
        pinned: what is known of the commit beforehand, None for nothing.
    """

    name: HubName | HubModel
    repository: str
    commit: str
    pinned: HubModel | None = None

    def vouched(self, file: str) -> Path:
        """Return a file that is as SHA256SUMS states it, from the cache or downloaded.

        The client does not check what it downloads. What is found damaged is downloaded once more,
        but not for a file that SHA256SUMS, whole as it is, does not list.

        Raises:
            BundleError: it is still not as stated, or is not listed.
            HubError: it is not in the cache and cannot be downloaded.
        """
        try:
            return self._checked(file, anew=False)
        except BundleError as damaged:
            if self._is_unlisted(file):
                raise
            try:
                return self._checked(file, anew=True)
            except UnreachableError:
                raise damaged from None

    def _is_unlisted(self, file: str) -> bool:
        sums = _cached(self.repository, CHECKSUMS, self.commit)
        if sums is None or sums.stat().st_size > MAX_CHECKSUMS:
            return False
        # The cache names a file by git's hash of it. One that is not whole may not even be read.
        whole = sums.resolve().name == git_hash(sums.read_bytes())
        return whole and file not in read_checksums(sums.parent)

    def _checked(self, file: str, *, anew: bool) -> Path:
        sums = self._fetch(CHECKSUMS, anew=anew)
        if self.pinned and sha256(sums) != self.pinned.sha256:
            raise BundleError(
                f"{self.name}: {CHECKSUMS} is not the one that was registered with the model. "
                "The plugin that registers it, or the repository, has a mistake."
            )
        listed = read_checksums(sums.parent)
        if file not in listed:
            raise BundleError(
                f"{self.name}: {CHECKSUMS} does not list {file}, so there is none to be trusted. "
                f"It lists {', '.join(sorted(listed))}."
            )
        found = self._fetch(file, anew=anew)
        check_size(found, MAX_BYTES)
        if sha256(found) != listed[file]:
            raise BundleError(
                f"{self.name}: {file} does not match its checksum in {CHECKSUMS}, so it is not "
                "loaded. If a new download does not help either, tell the repository's owner."
            )
        return found

    def _fetch(self, file: str, *, anew: bool) -> Path:
        with explained(self.name, file):
            if not anew and (found := _cached(self.repository, file, self.commit)):
                return found
            with connected() as api:
                token = self._ask(api, file)
                persist(
                    lambda: api.hf_hub_download(
                        self.repository,
                        file,
                        revision=self.commit,
                        token=token,
                        force_download=anew,
                    )
                )
            if found := _cached(self.repository, file, self.commit):
                return found
        raise HubError(f"{self.name}: {file} was downloaded, but is not in the cache.")

    def _ask(self, api: HfApi, file: str) -> bool | None:
        """Ask whether a file is there before it is downloaded; return what token to use.

        The client's own question would be repeated for half a minute where there is no network.
        """
        commit, size, token = _ask(api, self.repository, file, self.commit)
        if commit != self.commit:
            raise HubError(f"{self.name}: the Hub answers with commit {commit}.")
        most = {CHECKSUMS: MAX_CHECKSUMS, CONFIG: MAX_CONFIG}.get(file, MAX_BYTES)
        if size is not None and size > most:
            raise HubError(
                f"{self.name}: {file} has {size:,} bytes, at most {most:,} are read. It is not "
                "downloaded."
            )
        if self.pinned and size is not None and size > self.pinned.size:
            raise HubError(
                f"{self.name}: {file} has {size:,} bytes, the whole model was registered with "
                f"{self.pinned.size:,}. It is not downloaded."
            )
        return token


@dataclass(frozen=True, kw_only=True)
class HubBundle(Bundle):
    """A bundle of which a file is downloaded and verified when it is needed."""

    snapshot: Snapshot

    def file(self, name: str) -> Path:
        """Return one of its files, verified; download it if it is not in the cache."""
        return self.snapshot.vouched(name)

    def holds(self, name: str) -> bool:
        """Whether one of its files is there, on the Hub if not here."""
        return name in read_checksums(self.path)


def pull(name: HubName | HubModel) -> Bundle:
    """Find a model on the Hub, or in the cache; so far, only its config is downloaded.

    With a commit's full hash, what is in the cache is used without any request.

    Raises:
        HubError: it is not there, not to be read, or cannot be downloaded.
        BundleError: what is there is damaged, or no bundle.
    """
    pinned = name if isinstance(name, HubModel) else None
    commit = name.commit if isinstance(name, HubModel) else resolve(name)
    snapshot = Snapshot(name, name.repository, commit, pinned)
    config = snapshot.vouched(CONFIG)
    check_size(config, MAX_CONFIG)
    spec = ModelSpec.from_json(config.read_bytes(), where=f"{CONFIG} of {name}")
    return HubBundle(config.parent, spec, snapshot=snapshot)


def resolve(name: HubName) -> str:
    """Return the commit that a name means now, or meant when the Hub was last asked.

    Raises:
        NameSyntaxError: a revision that can be none.
        HubError: the repository or revision is not there or not to be read, or the Hub cannot be
            asked and never was.
    """
    repository, revision = name.repository, name.revision or constants.DEFAULT_REVISION
    if is_commit(revision):
        return revision
    if not is_revision(revision):
        raise NameSyntaxError(f"{name}: {revision!r} cannot be a branch or tag.")
    try:
        with explained(name, CONFIG), connected() as api:
            commit, _, token = _ask(api, repository, CONFIG, revision)
            if commit != _known(repository, revision):
                # This also writes down what the branch is now.
                found = persist(
                    lambda: api.hf_hub_download(repository, CONFIG, revision=revision, token=token)
                )
                commit = Path(found).parent.name
        when = "now"
    except UnreachableError:
        known = _known(repository, revision)
        if known is None:
            raise
        commit, when = known, "when the Hub, which cannot be reached, was last asked"
    say_once(
        f"{name} moves with {revision!r}, which is commit {commit} {when}. The same bits for ever: "
        f"hf://{repository}@{commit}"
    )
    return commit


def _known(repository: str, revision: str) -> str | None:
    """The commit that the cache knows a branch or tag to be."""
    found = _cached(repository, CONFIG, revision)
    return found.parent.name if found and is_commit(found.parent.name) else None


def _cached(repository: str, file: str, revision: str) -> Path | None:
    found = try_to_load_from_cache(repository, file, revision=revision)
    if not isinstance(found, str):
        return None
    if not Path(found).resolve().is_relative_to(Path(constants.HF_HUB_CACHE).resolve()):
        raise HubError(
            f"{repository}: {file} of the cache lies outside it, at {Path(found).resolve()}. "
            f"It is not to be trusted: remove that file and {Path(found).parent}."
        )
    return Path(found)


def _ask(
    api: HfApi, repository: str, file: str, revision: str
) -> tuple[str, int | None, bool | None]:
    """Ask for a file's commit and size; return with them what token to use.

    Whoever may read without a token does so: one that has expired should not be in the way.
    """
    url = hf_hub_url(repository, file, revision=revision)
    token: bool | None = False
    try:
        found = persist(lambda: api.get_hf_file_metadata(url=url, token=False))
    except (RevisionNotFoundError, EntryNotFoundError):
        raise
    except (HfHubHTTPError, RateLimitError) as error:
        if not may_take_token(error):
            raise
        token = None  # the user's own
        found = persist(lambda: api.get_hf_file_metadata(url=url, token=None))
    if not is_commit(found.commit_hash or ""):
        raise FileMetadataError("no commit")
    assert found.commit_hash is not None
    return found.commit_hash, found.size, token
