"""Download the files of a dataset: ``ganzoo data download``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tyro

from ganzoo.cli.arguments import PARSING, Text
from ganzoo.errors import DataNotFoundError, shell_word
from ganzoo.system.terminal import print_error, print_out


def download(name: Text, /, *, data: Path | None = None, split: str = "") -> None:
    """Download the files of a dataset, such as mnist or cifar-10 (needs torch).

    The addresses and checksums are those of torchvision. Prints the licence and the size first,
    then checks the MD5 of each file and unpacks it. A file that is there already is not downloaded
    again. For a look at a folder of this name, write ganzoo data ./download.

    Args:
        name: the registered dataset.
        data: folder for the files, the later --data of a training; by default GANZOO_DATA.
        split: download the files of one part only, such as extra of svhn; by default those of all
            parts but extra.
    """
    from ganzoo.data.datasets import find_root
    from ganzoo.data.downloading import choose_files, find_downloads, measure
    from ganzoo.data.downloading import download as fetch

    downloads = find_downloads(name)
    files = choose_files(name, downloads, split)
    root = find_root(name, data)
    if root is None:
        raise DataNotFoundError(
            f"no folder is given for the files of {name!r}. Pass --data DIR or set GANZOO_DATA=DIR."
        )
    licence = downloads.license or "none stated by the authors"
    print_out(f"{name}: {downloads.origin}")
    print_out(f"licence: {licence}", flush=True)
    total, unknown = measure(files, root)
    extra = f", and {unknown} of unknown size" * bool(unknown)
    print_out(f"download: {total / 1e6:,.1f} MB{extra}, to {root}", flush=True)
    fetch(files, root, print_error)
    print_out(f"Train on it with --dataset {name} --data {shell_word(root)}")


def run_download(args: Sequence[str]) -> int:
    """Run ``ganzoo data download`` with its arguments, and return the exit status."""
    tyro.cli(
        download,
        args=list(args),
        prog="ganzoo data download",
        **PARSING,
    )
    return 0
