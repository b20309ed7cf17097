"""Publish a bundle: one commit, only what changed, and afterwards compared with what is there."""

from __future__ import annotations

import tempfile
import time
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
from ganzoo.bundle.files import git_hash, sha256
from ganzoo.errors import BundleError, HubError, NameSyntaxError
from ganzoo.hub.card import was_edited
from ganzoo.hub.client import connected
from ganzoo.hub.failures import WAITS, explained, is_temporary, persist
from ganzoo.hub.repo_files import RepoFiles, pack, read
from ganzoo.hub.space import pack_space
from ganzoo.registry.names import HubModel, HubName, is_commit, is_revision, parse_model_name


@dataclass(frozen=True)
class Pushed:
    """What was published, or would be.

    Attributes:
        model: where it is, as a plugin can register it; None after a dry run.
        sizes: bytes of each file.
        card: its text, as it would be where nobody edited it.
        changed: files that the commit wrote or removed.
        card_kept: whether the card on the Hub was edited there and so left as it is.
        space_sizes: bytes of each file of its Space, none where none was asked for.
        space_changed: files of the Space that were written.
        space_card_kept: whether the Space's card was edited there and so left as it is.
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
    """Publish a bundle on the Hub in one commit; then download it and compare the checksums.

    A second time, only what changed is written. A card that was edited on the Hub stays.

    Args:
        bundle: its folder.
        repository: ``org/name``; it is created where it does not exist.
        private: create it for its owners alone.
        revision: the branch to write to, created where it does not exist; by default main.
        tag: a name for the commit, such as ``v1``.
        dry_run: only say what would be published, without asking the Hub.
        space: publish a Space of the same name too, where the model can be played with.

    Raises:
        NotABundleError, BundleError: no bundle, or a damaged one.
        PublishError: its runtimes were not compared, its card is unfinished, or its licence is no
            id of the Hub's.
        NameSyntaxError: `repository` is not ``org/name``, or `revision` or `tag` is a commit or no
            name at all.
        HubError: the Hub refuses or cannot be reached, or the tag is of another commit.
    """
    place = parse_model_name(f"hf://{repository.removeprefix('hf://')}")
    if not isinstance(place, HubName) or place.revision or not _is_name(revision):
        raise NameSyntaxError(
            f"cannot push to {repository!r} at {revision or 'main'!r}: write org/name, and after "
            "--revision the name of a branch."
        )
    if not _is_name(tag):
        raise NameSyntaxError(f"{tag!r} cannot be a tag: write one such as v1.")
    files = pack(Path(bundle), place.repository, revision)
    page = pack_space(HubName(place.repository, revision), files.card) if space else None
    if dry_run:
        return Pushed(None, files.sizes, files.card, space_sizes=page.sizes if page else {})
    if get_token() is None:
        raise HubError(f"pushing to {place} takes a token that may write: hf auth login.")
    with (
        explained(place, writing=True),
        connected() as api,
        tempfile.TemporaryDirectory() as scratch,
    ):
        there = _Repository(api, place.repository, revision, Path(scratch))
        there.create(private=private)
        commit, plan = there.write(files, tag)
        there.compare(files, plan, commit)
        shown = _show(api, place.repository, page, Path(scratch), private) if page else _Plan()
    model = HubModel(place.repository, commit, sum(files.sizes.values()), files.digests[CHECKSUMS])
    return Pushed(
        model,
        files.sizes,
        files.card,
        changed=tuple(sorted(plan.changed)),
        card_kept=plan.card_kept,
        space_sizes=page.sizes if page else {},
        space_changed=tuple(sorted(shown.changed)),
        space_card_kept=shown.card_kept,
    )


def _show(api: HfApi, name: str, page: RepoFiles, scratch: Path, private: bool) -> _Plan:
    """Publish a model's Space; return what was done."""
    there = _Repository(api, name, None, scratch / "space", "space")
    with explained(there.title, writing=True):
        there.create(private=private)
        commit, plan = there.write(page, None)
        there.compare(page, plan, commit)
    return plan


@dataclass
class _Plan:
    """How to come from a commit to what is to be there.

    Attributes:
        changed: files to write, and None for those to remove.
        card_kept: whether the card was edited there.
    """

    changed: dict[str, Path | bytes | None] = field(default_factory=dict)
    card_kept: bool = False


@dataclass(frozen=True)
class _Repository:
    api: HfApi
    name: str
    branch: str | None
    scratch: Path
    kind: Literal["model", "space"] = "model"

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"the Space {self.name}" if self.kind == "space" else f"hf://{self.name}"

    def create(self, *, private: bool) -> None:
        """Make sure that the repository and its branch are there, and as private as asked."""
        persist(self.api.whoami)  # a token that is not valid shows here, before anything is made
        sdk = "gradio" if self.kind == "space" else None
        persist(
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
                f"{self.title} exists and is public; --private makes new ones private. Change "
                "it on its page first, or choose another name."
            )
        if self.branch and self.branch != constants.DEFAULT_REVISION:
            branch = self.branch
            persist(lambda: self.api.create_branch(self.name, branch=branch, exist_ok=True))

    def write(self, files: RepoFiles, tag: str | None) -> tuple[str, _Plan]:
        """Commit what differs and name the commit; return its hash and what was done.

        The answer to a commit may be lost: before each new try, what is there is looked at.
        """
        tried = _Plan()
        for wait in (*WAITS, None):
            commit = self._head()
            plan = self._plan(files, commit)
            self._check_tag(tag, commit, plan)
            if plan.changed:
                tried = plan
                try:
                    commit = self._commit(plan, commit)
                except Exception as error:
                    if wait is None or not is_temporary(error, racing=True):
                        raise
                    time.sleep(wait)
                    continue
            self._tag(tag, commit)
            return commit, _Plan(tried.changed, plan.card_kept)
        raise AssertionError("the last try returns or raises")

    def compare(self, files: RepoFiles, plan: _Plan, commit: str) -> None:
        """Download everything again and compare it with what was to be written."""
        for name, expected in files.digests.items():
            if name == CARD and plan.card_kept:
                continue
            served = sha256(self._download(name, commit, "served"))
            if served != expected:  # damaged under way, or there
                served = sha256(self._download(name, commit, "served again"))
            if served != expected:
                raise HubError(
                    f"{self.title}@{commit} was written, but the Hub serves another {name} "
                    f"(sha256 {served}). Push again."
                )

    def _head(self) -> str:
        sha = self._info(self.branch).sha
        if not is_commit(sha or ""):
            raise FileMetadataError("no commit")
        assert sha is not None
        return sha

    def _info(self, revision: str | None = None) -> ModelInfo | SpaceInfo:
        found = persist(
            lambda: self.api.repo_info(self.name, revision=revision, repo_type=self.kind)
        )
        assert isinstance(found, ModelInfo | SpaceInfo)
        return found

    def _plan(self, files: RepoFiles, head: str) -> _Plan:
        there = persist(
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
            if name not in there or not _is_same(there[name], content, files.digests[name]):
                plan.changed[name] = content
        if CARD in plan.changed and CARD in there:
            text = self._download(CARD, head, head).read_text(encoding="utf-8", errors="replace")
            if was_edited(text):
                del plan.changed[CARD]
                plan.card_kept = True
        if CHECKSUMS in plan.changed and CHECKSUMS in there:
            # What a former push wrote and this one does not is left behind by it alone.
            former = _listed(self._download(CHECKSUMS, head, head).parent)
            stale = former.keys() & there.keys() - files.contents.keys()
            plan.changed |= dict.fromkeys(stale, None)
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
        refs = persist(lambda: self.api.list_repo_refs(self.name))
        return {tag.name: tag.target_commit for tag in refs.tags}

    def _check_tag(self, tag: str | None, head: str, plan: _Plan) -> None:
        """Refuse before anything is written a tag that is another commit's."""
        if tag and (found := self._tags().get(tag)) and (plan.changed or found != head):
            raise HubError(
                f"hf://{self.name} has a tag {tag!r} already, of commit {found}; what you push "
                "differs from it. Choose another --tag."
            )

    def _tag(self, tag: str | None, commit: str) -> None:
        if not tag:
            return
        persist(lambda: self.api.create_tag(self.name, tag=tag, revision=commit, exist_ok=True))
        if (found := self._tags().get(tag)) != commit:
            raise HubError(
                f"hf://{self.name}@{commit} was written, but meanwhile {tag!r} was made a tag of "
                f"{found}. Choose another --tag."
            )

    def _download(self, file: str, commit: str, folder: str) -> Path:
        found = persist(
            lambda: self.api.hf_hub_download(
                self.name,
                file,
                revision=commit,
                cache_dir=self.scratch / folder,
                repo_type=self.kind,
            )
        )
        return Path(found)


def _is_name(revision: str | None) -> bool:
    """Whether it may name a branch or a tag; a commit's hash would hide what it names."""
    return revision is None or (is_revision(revision) and not is_commit(revision))


def _is_same(there: RepoFile, content: Path | bytes, digest: str) -> bool:
    """Whether a file of the repository has that content, by the hash that git has of it."""
    if there.lfs:
        return there.lfs.sha256 == digest
    return there.blob_id == git_hash(read(content))


def _listed(folder: Path) -> Mapping[str, str]:
    try:
        return read_checksums(folder)
    except BundleError:  # somebody else's file of that name
        return {}
