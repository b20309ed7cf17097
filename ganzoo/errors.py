"""Every error a user can meet: what was asked - what is true - what to type next.

Each also derives from the builtin that people already catch.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable

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


class GanzooError(Exception):
    """Base of all errors that ganzoo raises on purpose."""

    def __str__(self) -> str:
        # KeyError would print the repr of the message.
        return str(self.args[0]) if self.args else ""


class UnknownNameError(GanzooError, KeyError):
    """No such name is registered."""


class NameSyntaxError(GanzooError, ValueError):
    """A text that cannot be a name."""


class NameTakenError(GanzooError, ValueError):
    """A name for something new that something else has."""


class AmbiguousNameError(GanzooError, KeyError):
    """Several distributions register one name."""


class MissingPluginError(GanzooError, ImportError):
    """The distribution that provides a name is not installed, or switched off."""


class BrokenPluginError(GanzooError, ImportError):
    """A registered object exists but cannot be loaded or is of the wrong kind."""


class ConformanceError(GanzooError, AssertionError):
    """A plugin's object is not what a check of `ganzoo.testing` asks of it."""


class MissingExtraError(GanzooError, ImportError):
    """An optional dependency, such as torch, is not installed."""


class IncompatibleCombinationError(GanzooError, ValueError):
    """An architecture and a loss whose roles do not fit."""


class ArchitectureError(GanzooError, ValueError):
    """An architecture cannot be built for this data or these arguments."""


class RecipeError(GanzooError, ValueError):
    """A recipe, or an argument in it, is not valid."""


class DataError(GanzooError, ValueError):
    """Training data that cannot be used, such as a corrupt image."""


class ImageFileError(DataError):
    """One picture that is corrupt or too small, among others that may be good."""


class WorkerError(GanzooError, RuntimeError):
    """A process that read the data for a training died."""


class DataNotFoundError(GanzooError, FileNotFoundError):
    """The training data is not where it was looked for."""


class BundleError(GanzooError, ValueError):
    """A bundle that is damaged, inconsistent or not to be trusted."""


class CardError(GanzooError, ValueError):
    """A model card that cannot be read, or that is not ours to overwrite."""


class NotABundleError(GanzooError, FileNotFoundError):
    """A path that holds no bundle."""


class HubError(GanzooError, OSError):
    """The model hub cannot serve what was asked."""


class PublishError(GanzooError, ValueError):
    """A bundle that is not fit to be published."""


class DeviceError(GanzooError, RuntimeError):
    """A device that does not exist or is not there, or threads that cannot be."""


class SampleError(GanzooError, ValueError):
    """Arguments of `sample` or a call that a generator cannot serve."""


class PlotError(GanzooError, ValueError):
    """A picture that cannot be drawn from what there is."""


class DemoError(GanzooError, OSError):
    """The page to play with cannot be served where it was asked for."""


class OutputError(GanzooError, OSError):
    """A file or folder cannot be written."""


class RunExistsError(GanzooError, FileExistsError):
    """The folder of a new run exists already."""


class RunNotFoundError(GanzooError, FileNotFoundError):
    """A folder that holds no run, or a run that has nothing to continue from."""


class GroupError(GanzooError, ConnectionError):
    """Processes that train together have lost each other."""


class CheckpointError(GanzooError, ValueError):
    """A checkpoint that is damaged, or that belongs to another recipe or other data."""


class NonFiniteLossError(GanzooError, FloatingPointError):
    """A term of a player's loss, or a weight, became NaN or infinite."""


class MetricError(GanzooError, ValueError):
    """A metric that does not exist, or that cannot be computed of what it was given."""


class ExtractorError(GanzooError, OSError):
    """The weights of a feature extractor cannot be had."""


class DeploymentError(GanzooError, RuntimeError):
    """A model that cannot be written as what another program serves."""


class ExportError(GanzooError, RuntimeError):
    """An export that failed, or whose runtimes do not agree."""


def missing_extra(what: str, error: ModuleNotFoundError) -> MissingExtraError:
    """Say what to install for a module that an optional dependency holds.

    Raises:
        ModuleNotFoundError: `error` itself, where the module is ganzoo's own.
    """
    if (error.name or "").split(".")[0] == "ganzoo":
        raise error
    extra = "demo" if error.name == "gradio" else "train"
    return MissingExtraError(
        f"{what} needs {error.name}, which is not installed. pip install 'torch-ganzoo[{extra}]'"
    )


def describe(error: BaseException) -> str:
    """Return an error that a plugin raised in a line: its kind, its text, its file and line."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)[1:]  # the first called the plugin
        if "importlib" not in frame.filename
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def enumerate_names(names: Iterable[str]) -> str:
    """Return the names sorted and joined by commas, or ``(none)``."""
    return ", ".join(sorted(names)) or "(none)"
