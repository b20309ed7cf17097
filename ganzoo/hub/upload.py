"""Publish a bundle in one commit of the changed files, then compare it with the Hub's copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    ModelInfo,
    SpaceInfo,
    constants,
    get_token,
)
from huggingface_hub.errors import FileMetadataError
from huggingface_hub.hf_api import RepoFile

from ganzoo.bundle import CARD, CHECKSUMS, read_checksums
from ganzoo.bundle.clones import ATTRIBUTES, KEEP_BYTES
from ganzoo.bundle.files import git_hash, sha256, temporary_folder
from ganzoo.bundle.location import open_folder
from ganzoo.errors import BundleError, HubError, NameSyntaxError
from ganzoo.hub.card import was_edited
from ganzoo.hub.client import Connection, connect
from ganzoo.hub.failures import WAITS, is_temporary, translated_errors, wait_within
from ganzoo.hub.repo_files import RepoFiles, pack, read
from ganzoo.hub.space import pack_space
from ganzoo.registry.names import HubModel, HubName, is_commit, is_revision, parse_model_name

# The Hub stores these files with git-lfs. A new repository's own attributes say so, too.
_LARGE_FILES = [
    f"*.{ending} filter=lfs diff=lfs merge=lfs -text" for ending in ("onnx", "safetensors")
]


@dataclass(frozen=True)
class Pushed:
    """The result of a push or of its dry run.

    Attributes:
        model: the published model, as a plugin can register it; None after a dry run.
        sizes: each file's size in bytes.
        card: the card's text as written by ganzoo.
        changed: files that the commit wrote or removed.
        card_kept: whether the card was edited on the Hub, so that the push left it unchanged.
        space_sizes: size in bytes of each file of the Space, empty without a Space.
        space_changed: files of the Space that the commit wrote.
        space_card_kept: whether the Space's card was edited on the Hub and left unchanged.
    """

    model: HubModel | None
    sizes: dict[str, int]
    card: str
    changed: tuple[str, ...] = ()
    card_kept: bool = False
    space_sizes: dict[str, int] = field(default_factory=dict)
    space_changed: tuple[str, ...] = ()
    space_card_kept: bool = False


def push(
    bundle: str | Path,
    repository: str,
    *,
    private: bool = False,
    revision: str | None = None,
    tag: str | None = None,
    dry_run: bool = False,
    space: bool = False,
) -> Pushed:
    """Publish a bundle on the Hub in one commit, then download it and compare the checksums.

    A later push writes only the changed files. A card that was edited on the Hub is left
    unchanged. The repository's .gitattributes get a line that keeps git from changing line endings.

    Args:
        bundle: the folder of the bundle, or of a run.
        repository: ``org/name``; created if it does not exist.
        private: create a private repository.
        revision: the branch to write to, created if it does not exist; by default main.
        tag: a tag for the commit, such as ``v1``.
        dry_run: return what would be published, without a request to the Hub.
        space: also publish a Space of the same name with a demo of the model.

    Raises:
        NotABundleError: the folder holds no bundle.
        BundleError: the bundle is damaged, or a Space needs an ONNX file that it lacks.
        PublishError: its runtimes were not compared, its card is unfinished, or its licence is
            not in the Hub's list.
        NameSyntaxError: `repository` is not ``org/name``, or `revision` or `tag` is not a valid
            name.
        HubError: the Hub rejects a request or does not answer, or the tag points to another
            commit.
    """
    place = parse_model_name(repository if "://" in repository else f"hf://{repository}")
    if not isinstance(place, HubName) or place.revision or not _is_name(revision):
        raise NameSyntaxError(
            f"cannot push to {repository!r} at {revision or 'main'!r}: the repository or the "
            "branch has no valid name. Write org/name, and --revision BRANCH."
        )
    if not _is_name(tag):
        raise NameSyntaxError(f"{tag!r} is not a valid tag. Write one such as v1.")
    files = pack(Path(bundle), place.repository, revision)
    if space:
        open_folder(Path(bundle)).require_onnx("generator")  # a Space has no torch
    page = pack_space(HubName(place.repository, revision), files.card) if space else None
    if dry_run:
        return Pushed(None, files.sizes, files.card, space_sizes=page.sizes if page else {})
    if get_token() is None:
        raise HubError(
            f"cannot push to {place} without a token that has write access. Log in: hf auth login."
        )
    with (
        translated_errors(place, writing=True),
        connect() as connection,
        temporary_folder() as scratch,
    ):
        target = _Repository(connection, place.repository, revision, scratch)
        target.create(private=private)
        commit, plan = target.write(files, tag)
        target.compare(files, plan, commit)
        space_plan = _Plan()
        if page:
            space_plan = _push_space(connection, place.repository, page, scratch, private)
    model = HubModel(place.repository, commit, sum(files.sizes.values()), files.digests[CHECKSUMS])
    return Pushed(
        model,
        files.sizes,
        files.card,
        changed=tuple(sorted(plan.changed)),
        card_kept=plan.card_kept,
        space_sizes=page.sizes if page else {},
        space_changed=tuple(sorted(space_plan.changed)),
        space_card_kept=space_plan.card_kept,
    )


def _push_space(
    connection: Connection, name: str, page: RepoFiles, scratch: Path, private: bool
) -> _Plan:
    """Publish a model's Space and return the changes."""
    target = _Repository(connection, name, None, scratch / "space", "space")
    with translated_errors(target.title, writing=True):
        target.create(private=private)
        commit, plan = target.write(page, None)
        target.compare(page, plan, commit)
    return plan


@dataclass
class _Plan:
    """The difference between a commit and the files to publish.

    Attributes:
        changed: content of each file to write, None for a file to remove.
        card_kept: whether the card was edited on the Hub.
    """

    changed: dict[str, Path | bytes | None] = field(default_factory=dict)
    card_kept: bool = False


@dataclass(frozen=True)
class _Repository:
    connection: Connection
    name: str
    branch: str | None
    scratch: Path
    kind: Literal["model", "space"] = "model"

    @property
    def api(self) -> HfApi:
        """Return the client."""
        return self.connection.api

    @property
    def title(self) -> str:
        """Return the repository's name for messages."""
        return f"the Space {self.name}" if self.kind == "space" else f"hf://{self.name}"

    def create(self, *, private: bool) -> None:
        """Create the repository and its branch if they do not exist, and check its privacy."""
        retry = self.connection.retry
        retry(self.api.whoami)  # rejects an invalid token before anything is created
        sdk = "gradio" if self.kind == "space" else None
        retry(
            lambda: self.api.create_repo(
                self.name,
                private=private or None,
                exist_ok=True,
                repo_type=self.kind,
                space_sdk=sdk,
            )
        )
        if private and not self._info().private:
            raise HubError(
                f"{self.title} exists and is public; --private applies to new repositories. Make "
                "it private on its page first, or choose another name."
            )
        if self.branch and self.branch != constants.DEFAULT_REVISION:
            branch = self.branch
            self.connection.retry(
                lambda: self.api.create_branch(self.name, branch=branch, exist_ok=True)
            )

    def write(self, files: RepoFiles, tag: str | None) -> tuple[str, _Plan]:
        """Commit the differences and tag the commit; return its hash and the changes.

        A commit may succeed while its response is lost, so each retry compares again.
        """
        last_plan = _Plan()
        for wait in (*WAITS, None):
            commit = self._head()
            plan = self._plan(files, commit)
            self._check_tag(tag, commit, plan)
            if plan.changed:
                last_plan = plan
                try:
                    commit = self._commit(plan, commit)
                except Exception as error:
                    if wait is None or not is_temporary(error, commit=True):
                        raise
                    if not wait_within(self.connection.budget, wait, error):
                        raise
                    continue
            self._tag(tag, commit)
            return commit, _Plan(last_plan.changed, plan.card_kept)
        raise AssertionError("the last attempt returns or raises")

    def compare(self, files: RepoFiles, plan: _Plan, commit: str) -> None:
        """Download every file and compare its checksum with the published one."""
        for name, expected in files.digests.items():
            if name == CARD and plan.card_kept:
                continue
            digest = sha256(self._download(name, commit, "served"))
            if digest != expected:  # damaged on the Hub
                raise HubError(
                    f"{self.title}@{commit} was written, but the Hub serves another {name} "
                    f"(sha256 {digest}). Push again."
                )

    def _head(self) -> str:
        sha = self._info(self.branch).sha
        if not is_commit(sha or ""):
            raise FileMetadataError("no commit")
        assert sha is not None
        return sha

    def _info(self, revision: str | None = None) -> ModelInfo | SpaceInfo:
        info = self.connection.retry(
            lambda: self.api.repo_info(self.name, revision=revision, repo_type=self.kind)
        )
        assert isinstance(info, ModelInfo | SpaceInfo)
        return info

    def _plan(self, files: RepoFiles, head: str) -> _Plan:
        remote = self.connection.retry(
            lambda: {
                entry.path: entry
                for entry in self.api.list_repo_tree(
                    self.name, recursive=True, revision=head, repo_type=self.kind
                )
                if isinstance(entry, RepoFile)
            }
        )
        plan = _Plan()
        for name, content in files.contents.items():
            if name not in remote or not _is_same(remote[name], content, files.digests[name]):
                plan.changed[name] = content
        if CARD in plan.changed and CARD in remote:
            text = self._download(CARD, head, head).read_text(encoding="utf-8", errors="replace")
            if was_edited(text):
                del plan.changed[CARD]
                plan.card_kept = True
        if CHECKSUMS in plan.changed and CHECKSUMS in remote:
            # Remove files of an earlier push that this one does not write; keep all others.
            former = _read_checksums(self._download(CHECKSUMS, head, head).parent)
            stale = former.keys() & remote.keys() - files.contents.keys()
            plan.changed |= dict.fromkeys(stale, None)
        if CHECKSUMS in files.contents:
            lines = _LARGE_FILES
            if ATTRIBUTES in remote:
                text = self._download(ATTRIBUTES, head, head).read_text("utf-8", "replace")
                lines = text.splitlines()
            if KEEP_BYTES not in lines:  # first, because the last line that matches decides
                plan.changed[ATTRIBUTES] = "\n".join([KEEP_BYTES, *lines, ""]).encode()
        return plan

    def _commit(self, plan: _Plan, head: str) -> str:
        operations = [
            CommitOperationDelete(name)
            if content is None
            else CommitOperationAdd(name, content if isinstance(content, bytes) else str(content))
            for name, content in plan.changed.items()
        ]
        return self.api.create_commit(
            self.name,
            operations,
            commit_message="Push with ganzoo",
            revision=self.branch,
            parent_commit=head,
            repo_type=self.kind,
        ).oid

    def _tags(self) -> dict[str, str]:
        refs = self.connection.retry(lambda: self.api.list_repo_refs(self.name))
        return {tag.name: tag.target_commit for tag in refs.tags}

    def _check_tag(self, tag: str | None, head: str, plan: _Plan) -> None:
        """Raise an error, before anything is written, if the tag points to another commit."""
        if tag and (target := self._tags().get(tag)) and (plan.changed or target != head):
            raise HubError(
                f"hf://{self.name} already has a tag {tag!r}, which points to commit {target}. The "
                "pushed files differ from it. Choose another --tag."
            )

    def _tag(self, tag: str | None, commit: str) -> None:
        if not tag:
            return
        self.connection.retry(
            lambda: self.api.create_tag(self.name, tag=tag, revision=commit, exist_ok=True)
        )
        if (target := self._tags().get(tag)) != commit:
            raise HubError(
                f"hf://{self.name}@{commit} was written, but another push moved the tag {tag!r} to "
                f"{target}. Choose another --tag."
            )

    def _download(self, file: str, commit: str, folder: str) -> Path:
        return self.connection.download(
            self.name,
            file,
            revision=commit,
            cache_dir=self.scratch / folder,
            repo_type=self.kind,
        )


def _is_name(revision: str | None) -> bool:
    """Return whether a branch or tag may have this name; the hash of a commit may not be one."""
    return revision is None or (is_revision(revision) and not is_commit(revision))


def _is_same(entry: RepoFile, content: Path | bytes, digest: str) -> bool:
    """Return whether a file of the repository has this content, by the hash that git stores."""
    if entry.lfs:
        return entry.lfs.sha256 == digest
    return entry.blob_id == git_hash(read(content))


def _read_checksums(folder: Path) -> Mapping[str, str]:
    try:
        return read_checksums(folder)
    except BundleError:  # a file of that name that ganzoo did not write
        return {}
