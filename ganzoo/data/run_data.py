"""The data of a run: its folders and its fingerprint, in the run's file run.json."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from ganzoo.bundle.files import describe_foreign, write_file
from ganzoo.spec.json_text import read_json
from ganzoo.spec.lfs import explain_pointer

FILE = "run.json"


@dataclass(frozen=True)
class RunData:
    """The data that a run trains on.

    Attributes:
        folder: absolute path of the dataset's folder; None for a dataset without a folder.
        images: number of images.
        sha256: fingerprint of the images.
        recipe_sha256: SHA-256 of the run's recipe.toml.
        model: absolute path of the model whose weights the run started from, if it is a folder.
    """

    folder: str | None
    images: int
    sha256: str
    recipe_sha256: str
    model: str | None = None

    def write(self, run: Path) -> None:
        """Write the file of a run.

        Raises:
            OutputError: the file cannot be written.
        """
        write_file(run / FILE, json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, run: Path) -> RunData | None:
        """Return the data of a run, or None if the folder has no such file.

        Warns if the file is damaged, and returns None.
        """
        path = run / FILE
        if not os.path.lexists(path):
            return None
        try:
            if kind := describe_foreign(path, run):
                raise ValueError(f"it is {kind}")
            if pointer := explain_pointer(path):
                raise ValueError(pointer.removesuffix("."))
            data = cls(**read_json(path.read_bytes()))
            kinds = (str | None, int, str, str, str | None)
            fields = dataclasses.astuple(data)
            if not all(map(isinstance, fields, kinds)):
                raise TypeError("a field has another type")
        except (OSError, ValueError, TypeError) as error:
            warnings.warn(
                f"cannot read {path}: {error}. The folder of the run's data is unknown; pass it "
                "with --data DIR",
                stacklevel=2,
            )
            return None
        return data


def find_run_data(bundle: Path, sha256: object) -> RunData | None:
    """Return the data of the run that a bundle belongs to, or None if it is in no such run.

    Args:
        bundle: the folder of a bundle or of a run.
        sha256: fingerprint of the data that the model was trained on. A run with another
            fingerprint did not train the model.
    """
    for folder in (bundle, bundle.absolute().parent):
        if os.path.lexists(folder / FILE):
            data = RunData.read(folder)
            return data if data is not None and data.sha256 == sha256 else None
    return None
