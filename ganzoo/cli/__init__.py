"""The command line: ``ganzoo COMMAND``."""

from __future__ import annotations

import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

import tyro

from ganzoo.cli.arguments import PARSING
from ganzoo.cli.benchmark import benchmark
from ganzoo.cli.cards import ACTIONS, card
from ganzoo.cli.completion import completion
from ganzoo.cli.data import data
from ganzoo.cli.data_download import run_download
from ganzoo.cli.demo import demo
from ganzoo.cli.directions import directions
from ganzoo.cli.environment import env
from ganzoo.cli.evaluation import compare, evaluate
from ganzoo.cli.export import export
from ganzoo.cli.gallery import gallery
from ganzoo.cli.hub import list_, push
from ganzoo.cli.importing import import_, run_import
from ganzoo.cli.info import info
from ganzoo.cli.inversion import invert
from ganzoo.cli.listing import plugins
from ganzoo.cli.plotting import KINDS, plot
from ganzoo.cli.plugin_tools import check, new_plugin
from ganzoo.cli.quickstart import quickstart
from ganzoo.cli.sampling import sample, translate
from ganzoo.cli.training import run_train, train
from ganzoo.cli.upscaling import upscale
from ganzoo.cli.walks import walk
from ganzoo.errors import (
    GanzooError,
    OutputError,
    did_you_mean,
    missing_extra,
    no_temporary_folder,
)
from ganzoo.registry import distributions
from ganzoo.registry.docstrings import docstring_of
from ganzoo.registry.own_file import IMPORT, import_own_file, own_files
from ganzoo.system.terminal import print_error, print_out, usable_streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 after an error, 130 after Ctrl-C.

    Args:
        argv: arguments of the command line; by default those of this process.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    status = 0  # also if the reader of the output, such as `head`, has closed the pipe
    show_warning, warnings.showwarning = warnings.showwarning, _show_warning
    try:
        with usable_streams():
            status = _run(args)
    except OutputError as error:
        print_error(f"error: {error}")
        return 1
    except Exception:
        if argv is None:  # the process ends, and Python prints the traceback after this function
            sys.excepthook = _show_traceback
        raise
    finally:
        warnings.showwarning = show_warning
    return status


def _run(args: list[str]) -> int:
    if sys.flags.optimize >= 2:  # tyro shows docstrings, which python -OO removes
        for item in (*COMMANDS.values(), *KINDS.values(), *ACTIONS.values()):
            item.__doc__ = docstring_of(item)
    args, files = split_imports(args)
    args = _join_seeds([_expand_home(word) for word in args])
    if problem := _find_misspelling(args):
        print_error(f"error: {problem}")
        return 2
    token = own_files.set(tuple(files))
    try:
        for file in files:
            import_own_file(file)
        if args[:1] == ["train"]:
            return run_train(args[1:])
        if args[:1] == ["import"]:
            return run_import(args[1:])
        if args[:2] == ["data", "download"]:  # a folder of this name is ./download
            return run_download(args[2:])
        if args[:1] == ["--version"]:
            print_out(f"ganzoo {metadata.version('torch-ganzoo')}")
            return 0
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS,
            args=args or ["--help"],
            prog="ganzoo",
            description=_DESCRIPTION,
            **PARSING,
        )
    except GanzooError as error:
        print_error(f"error{_of_rank()}: {error}")
        return 1
    except ModuleNotFoundError as error:
        print_error(f"error: {missing_extra('this command', error)}")
        return 1
    except FileNotFoundError as error:
        if not (reason := _explain_absence(error)):
            raise
        print_error(f"error: {reason}")
        return 1
    except Warning as warning:
        print_error(
            f"error: {str(warning).removesuffix('.')}. This is a warning, and warnings are errors "
            "in this process. Unset PYTHONWARNINGS to continue after it."
        )
        return 1
    except KeyboardInterrupt as stop:
        print_error(f"stopped: {stop}" if stop.args else "stopped")
        return 130
    except BrokenPipeError:  # of standard output, perhaps
        raise
    except Exception as error:
        # Libraries that read entry points fail if those of any distribution are invalid.
        if not (unreadable := distributions.find_unreadable()):
            raise
        print_error(
            f"error: {type(error).__name__}: {error}\n"
            f"The entry_points.txt of {' and '.join(unreadable)} cannot be read, and other "
            "libraries fail on it too. Reinstall the package, or uninstall it."
        )
        return 1
    finally:
        own_files.reset(token)
    return 0


_DESCRIPTION = (
    "A plugin-based model zoo for generative adversarial networks. With every command, "
    f"'{IMPORT} FILE.py' runs a Python file of yours first, so that the command knows what it "
    "registers, such as an architecture."
)

COMMANDS: dict[str, Callable[..., Any]] = {
    "list": list_,
    "info": info,
    "sample": sample,
    "walk": walk,
    "translate": translate,
    "upscale": upscale,
    "invert": invert,
    "directions": directions,
    "data": data,
    "train": train,
    "export": export,
    "import": import_,
    "card": card,
    "push": push,
    "evaluate": evaluate,
    "compare": compare,
    "benchmark": benchmark,
    "gallery": gallery,
    "plot": plot,
    "demo": demo,
    "plugins": plugins,
    "new-plugin": new_plugin,
    "check": check,
    "quickstart": quickstart,
    "env": env,
    "completion": completion,
}
SUBCOMMANDS: dict[str, Mapping[str, Callable[..., Any]]] = {"plot": KINDS, "card": ACTIONS}


def _join_seeds(args: list[str]) -> list[str]:
    """Join seeds that are separate words: ``--seeds 3 9 12`` is ``--seeds 3,9,12``."""
    joined: list[str] = []
    for word in args:
        is_after_seeds = joined[-2:-1] in (["--seeds"], ["--rows"], ["--columns"])
        if is_after_seeds and re.fullmatch(r"\d+(-\d+)?", word):
            joined[-1] += f",{word}"
        else:
            joined.append(word)
    return joined


def _expand_home(word: str) -> str:
    """Return ``file=~/x`` with the home folder, which shells leave as it is after a ``=``."""
    key, equals, value = word.partition("=")
    is_home = equals and value.startswith(("~/", "~\\"))
    return f"{key}={os.path.expanduser(value)}" if is_home else word


def split_imports(args: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments without each ``--import FILE``, and these files.

    The option may be before or after the command, whose own options it does not affect.
    """
    others, files = [], []
    words = iter(args)
    for word in words:
        option, equals, file = word.partition("=")
        if option != IMPORT:
            others.append(word)
        else:
            files.append(file if equals else next(words, ""))
    return others, files


def _find_misspelling(args: list[str]) -> str:
    """Return what is wrong with the name of a command or subcommand; empty if nothing is."""
    known: Mapping[str, Callable[..., Any]] = COMMANDS
    prefix = ""
    for word in args[:2]:
        if word.startswith("-"):
            return ""
        if word not in known:
            return (
                f"no command 'ganzoo {prefix}{word}'.{did_you_mean(word, known)} Use one of "
                f"{', '.join(known)}."
            )
        if word not in SUBCOMMANDS:
            return ""
        known, prefix = SUBCOMMANDS[word], f"{word} "
    return ""


def _explain_absence(error: FileNotFoundError) -> str:
    """Return which folder that every command needs does not exist; empty if it is none of them."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the current folder does not exist any more. Change to another one, such as cd ~"
    # of a library, at its import
    return str(no_temporary_folder()) if "temporary directory" in str(error) else ""


def _of_rank() -> str:
    """Return the rank of this process under torchrun, for error messages."""
    return f" (rank {os.environ['RANK']})" if "RANK" in os.environ else ""


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print_error(f"warning: {message}")


def _show_traceback(*error: Any) -> None:
    print_error("".join(traceback.format_exception(*error)), end="")
