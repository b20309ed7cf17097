"""Find the bundle that a folder means: its own, or the newest bundle of a run."""

from __future__ import annotations

from pathlib import Path

from ganzoo.bundle.folder import CONFIG, RUN_RECIPE, Bundle, open_bundle
from ganzoo.errors import NotABundleError, RunNotFoundError, shell_word
from ganzoo.registry import models
from ganzoo.registry.names import suggest_hub_name

RUN_BUNDLE = "bundle"  # the bundle in the folder of a run


def locate_bundle(path: Path) -> Path:
    """Return the folder of a bundle: `path`, or the bundle in it if it is the folder of a run.

    Raises:
        RunNotFoundError: the run has not saved a bundle yet.
    """
    try:
        is_bundle, is_run = (path / CONFIG).is_file(), (path / RUN_RECIPE).is_file()
        has_bundle = (path / RUN_BUNDLE).is_dir()
    except OSError:  # a path that is too long; opening it is the error
        return path
    if is_bundle:
        return path
    if has_bundle:
        return path / RUN_BUNDLE
    if is_run:
        raise RunNotFoundError(
            f"the run {path} has not saved a model yet. Continue it: ganzoo train --resume "
            f"{shell_word(path)}"
        )
    return path


def open_folder(path: Path) -> Bundle:
    """Open the bundle in a folder of a bundle or run, for functions that read no other names.

    Raises:
        NotABundleError, RunNotFoundError: the folder does not exist, or holds no bundle.
        BundleError: the bundle is damaged.
    """
    try:
        return open_bundle(locate_bundle(path))
    except NotABundleError as error:
        if not path.exists() and str(path) in models:
            raise NotABundleError(
                f"no bundle at {path}. The model {str(path)!r} belongs to the package that "
                "registers it. Pass the folder of a bundle or run."
            ) from error
        if path.parent.is_dir() or not (name := suggest_hub_name(str(path))):
            raise
        raise NotABundleError(f"no bundle at {path}. {explain_download(name)}") from error


def explain_download(name: str) -> str:
    """Return how to get the folder of a model on the Hub, for functions that read only folders."""
    repository, _, revision = name.removeprefix("hf://").partition("@")
    folder = repository.rpartition("/")[2]
    at = f" --revision {revision}" if revision else ""
    return (
        f"To download {name} from the Hub, use `hf download {repository}{at} --local-dir "
        f"{folder}`, and pass ./{folder}."
    )
