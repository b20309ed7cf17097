"""Publish models on the Hub, and list the models on the Hub."""

from __future__ import annotations

import dataclasses

from ganzoo.cli import listing
from ganzoo.cli.arguments import AsJson, Folder, Text
from ganzoo.errors import PublishError
from ganzoo.registry.own_file import repeat_imports
from ganzoo.system.terminal import print_json, print_out

_KEPT = "The card was edited on the Hub and is not replaced. Check that it is still correct."


def list_(
    pattern: Text = "*",
    /,
    kind: listing.Kind = "all",
    hub: bool = False,
    as_json: AsJson = False,
) -> None:
    """List installed models and components, or with --hub the ganzoo models on the Hub.

    'ganzoo list losses' lists one kind with what each does and its paper; 'ganzoo info NAME' shows
    more. The kinds are those of --kind.

    The distance of a model is the Fréchet distance of its samples to its training data, with the
    default extractor of that data ('ganzoo info NAME' shows the protocol). Listing does not run
    the code of plugins.

    Args:
        pattern: kind such as losses, a name, or a wildcard such as 'dcgan-*'.
        kind: list only this kind.
        hub: list models on the Hub instead.
    """
    if not hub:
        listing.list_(pattern, kind, as_json)
        return
    from ganzoo.hub import search

    models = search(pattern)
    if as_json:
        print_json({"hub": [dataclasses.asdict(model) for model in models]})
        return
    for model in models:
        updated = f"{model.updated:%Y-%m-%d}" if model.updated else ""
        print_out(
            f"  hf://{model.repository:<40} {updated:<10}  {model.downloads or 0:,} downloads"
        )


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
    """Publish a bundle on the Hub in one commit. Log in first with 'hf auth login'.

    Args:
        bundle: folder of the bundle, as 'ganzoo export' writes it.
        repository: org/name of the repository; it is created if it does not exist.
        private: create a private repository.
        revision: branch to write to; by default main.
        tag: tag of the commit, such as v1.
        dry_run: show files, sizes and card, or what the card lacks, and publish nothing.
        space: also publish a Space of the same name with a demo of the model.
    """
    from ganzoo.hub import push

    try:
        result = push(
            bundle,
            repository,
            private=private,
            revision=revision,
            tag=tag,
            dry_run=dry_run,
            space=space,
        )
    except PublishError as error:
        if dry_run and error.sizes:
            _show_sizes(error.sizes, repository)
        raise
    if result.model is None:
        _show_sizes(result.sizes, repository)
        if space:
            _show_sizes(result.space_sizes, f"the Space {repository}")
        print_out(f"\n{result.card}", end="")
        return
    print_out(f"{result.model}: {', '.join(result.changed) or 'no changes'}")
    if result.card_kept:
        print_out(_KEPT)
    if space:
        written = ", ".join(result.space_changed) or "no changes"
        print_out(f"the Space {result.model.repository}: {written}")
        if result.space_card_kept:
            print_out(_KEPT)
        if private:
            print_out(
                "The Space reads a private model. Add a token to its settings as secret HF_TOKEN."
            )
    print_out(
        f"to register it in a plugin: {result.model!r}\n"
        f"next: ganzoo sample {result.model}{repeat_imports()}"
    )


def _show_sizes(sizes: dict[str, int], where: str) -> None:
    for name, size in sizes.items():
        print_out(f"{size:>12,}  {name}")
    print_out(f"{sum(sizes.values()):>12,}  total, to {where}")
