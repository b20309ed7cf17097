"""Errors that ganzoo raises.

A message has three parts: what was asked, what is true, what to type next. Each class also derives
from the builtin exception of its kind.
"""

from __future__ import annotations

import difflib
import shlex
import traceback
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = [
    "AmbiguousNameError",
    "ArchitectureError",
    "BrokenPluginError",
    "BundleError",
    "CardError",
    "CheckpointError",
    "ConformanceError",
    "DataError",
    "DataNotFoundError",
    "DemoError",
    "DeploymentError",
    "DeviceError",
    "ExportError",
    "ExtractorError",
    "GanzooError",
    "HubError",
    "ImageFileError",
    "ImportFileError",
    "IncompatibleCombinationError",
    "MetricError",
    "MissingExtraError",
    "MissingPluginError",
    "NameSyntaxError",
    "NameTakenError",
    "NonFiniteLossError",
    "NotABundleError",
    "OutputError",
    "PlotError",
    "PublishError",
    "RecipeError",
    "RunExistsError",
    "RunNotFoundError",
    "SampleError",
    "UnknownNameError",
    "WorkerError",
]


MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""The errors of code that reads free-form fields of another type, size or depth than expected."""


class GanzooError(Exception):
    """Base class of all errors that ganzoo raises."""

    def __str__(self) -> str:
        # KeyError would print the repr of the message.
        return printable(str(self.args[0])) if self.args else ""


class UnknownNameError(GanzooError, KeyError):
    """A name that no plugin registers."""


class NameSyntaxError(GanzooError, ValueError):
    """A text that is not a valid name."""


class NameTakenError(GanzooError, ValueError):
    """A new name that is already in use."""


class AmbiguousNameError(GanzooError, KeyError):
    """A name that several distributions register."""


class MissingPluginError(GanzooError, ImportError):
    """A name whose distribution is not installed or is disabled."""


class BrokenPluginError(GanzooError, ImportError):
    """A registered object that cannot be loaded or has the wrong type."""


class ConformanceError(GanzooError, AssertionError):
    """A plugin's object that fails a check of `ganzoo.testing`."""


class MissingExtraError(GanzooError, ImportError):
    """An optional dependency, such as torch, that is not installed."""


class IncompatibleCombinationError(GanzooError, ValueError):
    """An architecture and a loss with different roles."""


class ArchitectureError(GanzooError, ValueError):
    """An architecture that cannot be built for the given data or arguments."""


class RecipeError(GanzooError, ValueError):
    """A recipe that is not valid, or that has an invalid argument."""


class DataError(GanzooError, ValueError):
    """Training data that cannot be used, such as a corrupt image."""


class ImageFileError(DataError):
    """A single image file that is corrupt or too small."""


class WorkerError(GanzooError, RuntimeError):
    """A worker process of the data loader that died."""


class DataNotFoundError(GanzooError, FileNotFoundError):
    """A dataset whose folder or files are missing."""


class BundleError(GanzooError, ValueError):
    """A bundle that is damaged, inconsistent or unsafe to load."""


class CardError(GanzooError, ValueError):
    """A model card that cannot be read, or that a user wrote and ganzoo must not overwrite."""


class NotABundleError(GanzooError, FileNotFoundError):
    """A path that contains no bundle."""


class HubError(GanzooError, OSError):
    """A request that the model hub refuses or cannot serve."""


class PublishError(GanzooError, ValueError):
    """A bundle that lacks something that publishing requires.

    Args:
        message: the message.
        sizes: size in bytes of each file that would be published, if only the card is in the way.
    """

    def __init__(self, message: str, sizes: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.sizes = dict(sizes or {})


class DeviceError(GanzooError, RuntimeError):
    """A device that is unknown or unavailable, or an invalid number of threads."""


class SampleError(GanzooError, ValueError):
    """Arguments that a model cannot use for sampling, encoding or translating."""


class PlotError(GanzooError, ValueError):
    """A figure that cannot be drawn from the given data."""


class DemoError(GanzooError, OSError):
    """A demo page that cannot be served at the requested address."""


class OutputError(GanzooError, OSError):
    """A file or folder that cannot be written."""


class RunExistsError(GanzooError, FileExistsError):
    """A folder for a new run that already exists."""


class RunNotFoundError(GanzooError, FileNotFoundError):
    """A folder that contains no run, or a run without a checkpoint to resume from."""


class GroupError(GanzooError, ConnectionError):
    """A process of a distributed training that lost its connection to the others."""


class CheckpointError(GanzooError, ValueError):
    """A checkpoint that is damaged, or that belongs to another recipe or dataset."""


class NonFiniteLossError(GanzooError, FloatingPointError):
    """A loss term or a weight that became NaN or infinite."""


class MetricError(GanzooError, ValueError):
    """A metric that does not exist, or that cannot be computed for the given images."""


class ExtractorError(GanzooError, OSError):
    """A feature extractor whose weights are missing or damaged, or that has no gradients."""


class DeploymentError(GanzooError, RuntimeError):
    """A model that cannot be written in the format of a deployment target."""


class ImportFileError(GanzooError, ValueError):
    """A checkpoint of another project that is damaged, unsafe, unknown or incomplete."""


class ExportError(GanzooError, RuntimeError):
    """An export that failed, or whose runtimes give different images.

    Attributes:
        reason: the cause in one clause.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


def no_temporary_folder() -> OutputError:
    """Return the error that no folder for temporary files is writable."""
    return OutputError(
        "this needs a folder for temporary files, and none is writable. Set the environment "
        "variable TMPDIR to one that is."
    )


def install_extra(extra: str) -> str:
    """Return the sentence that says how to install an optional dependency group of ganzoo."""
    return f"Type pip install '.[{extra}]' in a clone of ganzoo."


def missing_extra(what: str, error: ModuleNotFoundError) -> MissingExtraError:
    """Return the error for a module that belongs to an optional dependency group.

    Args:
        what: the feature that needs the module, such as ``ganzoo.train``.
        error: the failed import.

    Raises:
        ModuleNotFoundError: `error` itself, if the missing module is part of ganzoo.
    """
    if (error.name or "").split(".")[0] == "ganzoo":
        raise error
    extras = {"gradio": "demo", "av": "video", "datasets": "datasets", "pyarrow": "datasets"}
    extra = extras.get((error.name or "").split(".")[0], "train")
    return MissingExtraError(
        f"{what} needs {error.name}, which is not installed. {install_extra(extra)}"
    )


MAX_DESCRIPTION = 400  # characters


def describe(error: BaseException) -> str:
    """Return one line about an error that a plugin raised: class, message, file and line."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)[1:]  # skip the caller of the plugin
        if "importlib" not in frame.filename
    ]
    location = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    message = " ".join(str(error)[:MAX_DESCRIPTION].split())  # torch appends frames of C++
    return f"{type(error).__name__}: {message}{location}"


def did_you_mean(name: str, known: Iterable[str], before: str = "") -> str:
    """Return ``" Did you mean 'x'?"`` for the most similar known name, or an empty string.

    Args:
        name: what the user wrote.
        known: the names.
        before: what the user wrote before the name.
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {before + near[0]!r}?" if near else ""


def shell_word(path: object) -> str:
    """Return a path as a word of a command that a user types next, in quotes if it needs them."""
    return shlex.quote(str(path))


def as_folder(path: Path) -> str:
    """Return a folder as a model name in a command, with ./ if it could be a registered name."""
    text = str(path)
    return shell_word(text if path.is_absolute() or text.startswith(".") else f"./{text}")


def enumerate_names(names: Iterable[str]) -> str:
    """Return the sorted names, separated by commas, or ``(none)``."""
    return ", ".join(sorted(names)) or "(none)"


def quantity(n: int, noun: str) -> str:
    """Return a number and a noun, in the plural for other numbers than 1.

    >>> quantity(1, "image file"), quantity(2_000, "class")
    ('1 image file', '2,000 classes')
    """
    plural = "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{n:,} {noun}{plural * (n != 1)}"


def printable(text: str) -> str:
    """Return text with control characters escaped, such as ``\\x1b`` and ``\\u202e``.

    These are the characters of terminal sequences and of bidirectional text. Line feeds, tabs and
    all spaces are kept.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_printable(c) else c.encode("unicode_escape").decode() for c in text)


def _is_printable(character: str) -> bool:
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"
