"""Push every model of a distribution: python tools/push.py ORG [--tag v1] [--space] [--dry-run]

What a model is refused for is said, and the others are pushed all the same.
"""

import sys
from pathlib import Path

import tyro

import ganzoo
from ganzoo.errors import GanzooError
from ganzoo.registry import DISTRIBUTION, models


def main(
    org: tyro.conf.Positional[str],
    /,
    revision: str | None = None,
    tag: str | None = None,
    private: bool = False,
    dry_run: bool = False,
    space: bool = False,
    distribution: str = DISTRIBUTION,
) -> None:
    failed = False
    for entry in models.entries():
        if entry.distribution != distribution:
            continue
        repository = f"{org}/{entry.name}"
        try:
            place = models.load(entry)
            if not isinstance(place, Path):
                continue  # it is on the Hub already
            done = ganzoo.push(
                place,
                repository,
                revision=revision,
                tag=tag,
                private=private,
                dry_run=dry_run,
                space=space,
            )
        except GanzooError as error:
            failed = True
            print(f"{entry.name}: {error}", file=sys.stderr)
            continue
        what = done.model or f"would be hf://{repository}, {sum(done.sizes.values()):,} bytes"
        print(f"{entry.name}: {what}{', its card kept as edited' * done.card_kept}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
