"""Model cards: ``ganzoo card write`` and ``ganzoo card check``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import tyro

from ganzoo.cli.arguments import Folder, Text
from ganzoo.errors import CardError, quantity, shell_word
from ganzoo.system.terminal import print_out


def write(bundle: Folder, /) -> None:
    """Write the card of a bundle, or update the generated blocks of its card; edited text stays.

    Args:
        bundle: folder of the bundle.
    """
    from ganzoo import cards

    print_out(cards.write(bundle))
    for problem in cards.check(bundle):
        print_out(f"  {problem}")


def check(name: Text, /) -> None:
    """Check a card: list what is unfinished or differs from the config; exit 1 on problems.

    Args:
        name: folder of a bundle (./folder), or name of a model in an installed package.
    """
    from ganzoo import cards
    from ganzoo.bundle import CARD
    from ganzoo.cards.checking import find_bundle

    if problems := cards.check(name):
        print_out("\n".join(problems))
        count = quantity(len(problems), "problem")
        folder = find_bundle(name).path
        raise CardError(
            f"the card of {name} has {count}. Edit {folder / CARD}, or update its generated "
            f"blocks: ganzoo card write {shell_word(folder)}"
        )
    print_out(f"{name}: the card is complete and matches the config")


ACTIONS: dict[str, Callable[..., None]] = {"write": write, "check": check}

# tyro runs a command when it constructs the value of its subcommand.
Action = (
    Annotated[Any, tyro.conf.subcommand(name="write", constructor=write)]
    | Annotated[Any, tyro.conf.subcommand(name="check", constructor=check)]
)


def card(action: Annotated[Action, tyro.conf.arg(name="")]) -> None:
    """Write or check a model card: 'ganzoo card write PATH', 'ganzoo card check PATH'."""
