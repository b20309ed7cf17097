"""Push every model that ships: python tools/push.py ORG [--tag v1] [--private] [--dry-run]"""

from pathlib import Path

import tyro

import ganzoo
from ganzoo.registry import DISTRIBUTION, models


def main(
    org: tyro.conf.Positional[str],
    /,
    tag: str | None = None,
    private: bool = False,
    dry_run: bool = False,
) -> None:
    for entry in models.entries():
        place = models.load(entry)
        if entry.distribution == DISTRIBUTION and isinstance(place, Path):
            repository = f"{org}/{entry.name}"
            done = ganzoo.push(place, repository, tag=tag, private=private, dry_run=dry_run)
            what = done.model or f"would be hf://{repository}, {sum(done.sizes.values()):,} bytes"
            print(f"{entry.name}: {what}{', its card kept as edited' * done.card_kept}")


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
