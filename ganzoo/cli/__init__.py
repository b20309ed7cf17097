"""The command line: ``ganzoo COMMAND``."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import tyro

from ganzoo.cli.arguments import Output
from ganzoo.cli.cards import card
from ganzoo.cli.demo import demo
from ganzoo.cli.evaluation import compare, evaluate
from ganzoo.cli.export import export
from ganzoo.cli.gallery import gallery
from ganzoo.cli.hub import list_, push
from ganzoo.cli.listing import info, plugins
from ganzoo.cli.plotting import plot
from ganzoo.cli.plugin_tools import check, new_plugin
from ganzoo.cli.sampling import sample, translate
from ganzoo.cli.training import run_train, train
from ganzoo.errors import GanzooError, missing_extra
from ganzoo.registry import distributions


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 after an error, 130 after Ctrl-C.

    Args:
        argv: arguments of the command line; by default those of this process.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    warnings.showwarning = _show_warning
    try:
        if args[:1] == ["train"]:
            return run_train(args[1:])
        if args[:1] == ["--version"]:
            print(f"ganzoo {metadata.version('torch-ganzoo')}")
            return 0
        tyro.extras.subcommand_cli_from_dict(
            {
                "list": list_,
                "info": info,
                "sample": sample,
                "translate": translate,
                "train": train,
                "export": export,
                "card": card,
                "push": push,
                "evaluate": evaluate,
                "compare": compare,
                "gallery": gallery,
                "plot": plot,
                "demo": demo,
                "plugins": plugins,
                "new-plugin": new_plugin,
                "check": check,
                "quickstart": quickstart,
            },
            args=args or ["--help"],
            prog="ganzoo",
            description="A plugin-based model zoo for generative adversarial networks.",
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except GanzooError as error:
        print(f"error{_of_rank()}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_extra('this command', error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        # Libraries that read entry points fail if those of any distribution are invalid.
        if not (unreadable := distributions.find_unreadable()):
            raise
        print(
            f"error: {type(error).__name__}: {error}\n"
            f"The entry_points.txt of {' and '.join(unreadable)} cannot be read, and other "
            "libraries fail on it too. Reinstall the package, or uninstall it.",
            file=sys.stderr,
        )
        return 1
    return 0


def quickstart(output: Output = Path("demo")) -> None:
    """Run a two-minute tour: load a model, train one, export it and run it.

    Args:
        output: folder for the results; if it exists, a number is added to its name.
    """
    from ganzoo.cli.tour import run

    run(output)


def _of_rank() -> str:
    """Return the rank of this process under torchrun, for error messages."""
    return f" (rank {os.environ['RANK']})" if "RANK" in os.environ else ""


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
