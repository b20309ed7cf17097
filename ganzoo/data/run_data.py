"""The data of a run: its folder and its fingerprint, in the run's file run.json."""

from __future__ import annotations

import dataclasses
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

from ganzoo.bundle.files import write_file

FILE = "run.json"


@dataclass(frozen=True)
class RunData:
    """The data that a run trains on.

    Attributes:
        folder: absolute path of the dataset's folder; None for a dataset without a folder.
        images: number of images.
        sha256: fingerprint of the images.
        recipe_sha256: SHA-256 of the run's recipe.toml.
    """

    folder: str | None
    images: int
    sha256: str
    recipe_sha256: str

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
        if not path.is_file():
            return None
        try:
            data = cls(**json.loads(path.read_text(encoding="utf-8")))
            kinds = (str | None, int, str, str)
            fields = dataclasses.astuple(data)
            if not all(map(isinstance, fields, kinds)):
                raise TypeError("a field has another type")
        except (OSError, ValueError, TypeError, RecursionError) as error:
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
        if (folder / FILE).is_file():
            data = RunData.read(folder)
            return data if data is not None and data.sha256 == sha256 else None
    return None
