"""Print a script with which a shell completes ganzoo's commands and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import tyro

from ganzoo.cli.arguments import PARSING

EXAMPLE = "dcgan-digits"  # the recipe whose options a shell completes for `ganzoo train`


def completion(shell: tyro.conf.Positional[Literal["bash", "zsh", "fish"]], /) -> None:
    """Print the completion of commands and options for a shell; docs/reference/cli.md installs it.

    Args:
        shell: the shell.
    """
    from ganzoo.cli import COMMANDS

    tyro.extras.subcommand_cli_from_dict(
        {**COMMANDS, **_schemas()},
        args=["--tyro-write-completion", shell, "-"],
        prog="ganzoo",
        **PARSING,
    )


def _schemas() -> Mapping[str, Callable[..., Any]]:
    """Return the options of the commands whose options depend on a recipe or on a file."""
    from ganzoo.cli.importing import ImportOptions
    from ganzoo.cli.options import recipe_schema

    return {"train": recipe_schema(EXAMPLE), "import": ImportOptions}
