"""Model cards: ``ganzoo card write`` and ``ganzoo card check``."""

from __future__ import annotations

from typing import Annotated, Any

import tyro

from ganzoo.cli.arguments import Folder, Text
from ganzoo.errors import CardError


def write(bundle: Folder, /) -> None:
    """Renew the generated blocks of a bundle's card; its prose stays. Write one where none is.

    Args:
        bundle: its folder.
    """
    from ganzoo import cards

    print(cards.write(bundle))
    for problem in cards.check(bundle):
        print(f"  {problem}")


def check(name: Text, /) -> None:
    """Say what of a card differs from its model's config or is unfinished; exit 1 if anything.

    Args:
        name: a bundle's folder (./folder), or a model that an installed package ships.
    """
    from ganzoo import cards

    if problems := cards.check(name):
        print("\n".join(problems))
        raise CardError(f"the card of {name} is not right or not finished: {len(problems)} in all.")
    print(f"{name}: its card says what its config says.")


# As tyro has it, a command is run where its value is made.
Action = (
    Annotated[Any, tyro.conf.subcommand(name="write", constructor=write)]
    | Annotated[Any, tyro.conf.subcommand(name="check", constructor=check)]
)


def card(action: Annotated[Action, tyro.conf.arg(name="")]) -> None:
    """Write or check a model card: 'ganzoo card write PATH', 'ganzoo card check PATH'."""
