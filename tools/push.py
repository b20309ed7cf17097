"""Push every model of a distribution: python tools/push.py ORG [--tag v1] [--space] [--dry-run]

If a model fails, its error is printed and the next model is pushed.
"""

import sys
from pathlib import Path

import tyro

import ganzoo
from ganzoo.errors import GanzooError
from ganzoo.registry import models
from ganzoo.registry.distributions import DISTRIBUTION


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
            bundle = models.load(entry)
            if not isinstance(bundle, Path):
                continue  # the model is on the Hub already
            result = ganzoo.push(
                bundle,
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
        plan = f"dry run: hf://{repository}, {sum(result.sizes.values()):,} bytes"
        note = ", the edited card on the Hub is kept" * result.card_kept
        print(f"{entry.name}: {result.model or plan}{note}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
