"""Publish on the Hub, and list what is there."""

from __future__ import annotations

from ganzoo.cli import listing
from ganzoo.cli.arguments import Folder, Text

_KEPT = "The card was edited on the Hub and is left as it is there: see whether it still fits."


def list_(pattern: Text = "*", /, kind: listing.Kind = "all", hub: bool = False) -> None:
    """List what is installed, without running its code, or with --hub the models on the Hub.

    A model's distance is the Frechet distance of its samples to the data that it was trained on, by
    the features that are usual for that data: `ganzoo info` says which.

    Args:
        pattern: a wildcard such as 'dcgan-*'.
        kind: list one kind only.
        hub: ask the Hub for models of ganzoo's instead.
    """
    if not hub:
        listing.list_(pattern, kind)
        return
    from ganzoo.hub import search

    for found in search(pattern):
        updated = f"{found.updated:%Y-%m-%d}" if found.updated else ""
        print(f"  hf://{found.repository:<40} {updated:<10}  {found.downloads or 0:,} downloads")


def push(
    bundle: Folder,
    repository: Text,
    /,
    private: bool = False,
    revision: str | None = None,
    tag: str | None = None,
    dry_run: bool = False,
    space: bool = False,
) -> None:
    """Publish a bundle on the Hub in one commit; `hf auth login` first.

    Args:
        bundle: its folder, as `ganzoo export` writes it.
        repository: org/name; it is created where it does not exist.
        private: create it for its owners alone.
        revision: the branch to write to; by default main.
        tag: a name for the commit, such as v1.
        dry_run: only show files, sizes and card.
        space: publish a Space of the same name too, where it can be played with.
    """
    from ganzoo.hub import push

    done = push(
        bundle,
        repository,
        private=private,
        revision=revision,
        tag=tag,
        dry_run=dry_run,
        space=space,
    )
    if done.model is None:
        _show_sizes(done.sizes, repository)
        if space:
            _show_sizes(done.space_sizes, f"the Space {repository}")
        print(f"\n{done.card}", end="")
        return
    print(f"{done.model}: {', '.join(done.changed) or 'nothing had changed'}")
    if done.card_kept:
        print(_KEPT)
    if space:
        written = ", ".join(done.space_changed) or "nothing had changed"
        print(f"the Space {done.model.repository}: {written}")
        if done.space_card_kept:
            print(_KEPT)
        if private:
            print("It reads a private model: add a token as its secret HF_TOKEN on its settings.")
    print(f"to register it: {done.model!r}\nnext: ganzoo sample {done.model}")


def _show_sizes(sizes: dict[str, int], where: str) -> None:
    for name, size in sizes.items():
        print(f"{size:>12,}  {name}")
    print(f"{sum(sizes.values()):>12,}  in all, to {where}")
