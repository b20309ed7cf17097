"""Directions in latent space: files of them, and moves along them."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import MALFORMED, SampleError, shell_word
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.latent_files import SUFFIX, read_tensors, write_tensors
from ganzoo.sampling.model import to_integer, to_number
from ganzoo.sampling.samplers import Codes
from ganzoo.spec import ModelSpec
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import shorten


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions in w, or in z for a model without a mapping network.

    Attributes:
        vectors: the directions, float32 (k, dim), each of length 1.
        scales: standard deviation of the model's latents along each, float32 (k,).
        layers: layers whose w moves; empty in z.
        names: a short text about each.
        model: name of the model.
        method: ``sefa``, ``ganspace`` or ``classes``.
        seed: seed of the latents that the directions, or their scales, were computed from.
        weights: identifies the weights of the model, see `ModelSpec.weights_id`; empty if unknown.
    """

    vectors: NDArray[np.float32]
    scales: NDArray[np.float32]
    layers: tuple[int, ...]
    names: tuple[str, ...]
    model: str
    method: str
    seed: int
    weights: str = ""

    @property
    def space(self) -> str:
        """The space of the directions: ``w`` or ``z``."""
        return "w" if self.layers else "z"

    def __len__(self) -> int:
        return len(self.vectors)

    def save(self, file: str | Path) -> Path:
        """Write a safetensors file: ``directions``, ``scales``, in w also ``layers``, and metadata.

        Raises:
            OutputError: the file cannot be written, or has another extension.
        """
        arrays: dict[str, NDArray[Any]] = {"directions": self.vectors, "scales": self.scales}
        if self.layers:
            arrays["layers"] = np.array(self.layers, np.int64)
        metadata = {
            "model": self.model,
            "space": self.space,
            "method": self.method,
            "seed": str(self.seed),
            "weights": self.weights,
            "names": json.dumps(self.names),
        }
        return write_tensors(Path(file), "directions", arrays, metadata)

    @classmethod
    def read(cls, file: str | Path) -> Directions:
        """Read a file of `save`.

        Raises:
            SampleError: the file is missing or damaged, or is another kind of file.
        """
        path = Path(file)
        output = path if path.suffix == SUFFIX else f"directions{SUFFIX}"
        advice = f"Write one with: ganzoo directions NAME -o {shell_word(output)}"
        arrays, metadata = read_tensors(path, "directions", advice)
        try:
            return cls._of_file(arrays, metadata)
        except MALFORMED as error:
            raise SampleError(f"{path} is no file of directions. {advice}") from error

    @classmethod
    def _of_file(cls, arrays: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Directions:
        vectors, scales = arrays["directions"], arrays["scales"]
        layers, names = arrays.get("layers"), read_json(metadata["names"])
        lengths = np.linalg.norm(vectors, axis=1)
        valid = (
            vectors.ndim == 2
            and len(vectors) > 0
            and scales.shape == (len(vectors),)
            and np.isfinite(scales).all()
            and (scales >= 0).all()
            and np.allclose(lengths, 1, atol=1e-3)
            and isinstance(names, list)
            and len(names) == len(vectors)
            and (metadata["space"] == "w") == (layers is not None and layers.size > 0)
            and (layers is None or (layers.ndim == 1 and (layers >= 0).all()))
        )
        if not valid:
            raise ValueError
        numbers = () if layers is None else tuple(sorted({int(layer) for layer in layers}))
        return cls(
            vectors,
            scales,
            numbers,
            tuple(map(str, names)),
            shorten(metadata["model"], 100),
            metadata["method"],
            int(metadata["seed"]),
            metadata.get("weights", ""),
        )

    def check(self, spec: ModelSpec) -> None:
        """Check that a model has the latents of the directions. Warns of directions of another one.

        Raises:
            SampleError: its latents are others.
        """
        dim = self.vectors.shape[1]
        latent_dim = spec.latent.dim if spec.latent else 0
        own = (spec.styles.dim, spec.styles.layers) if spec.styles else (latent_dim, 0)
        if bool(spec.styles) != bool(self.layers) or dim != own[0]:
            raise SampleError(
                f"directions of {self.model!r} are {self.space} of length {dim}, but {spec.name!r} "
                f"moves in {'w' if spec.styles else 'z'} of length {own[0]}. Compute its own with: "
                f"ganzoo directions {spec.name}"
            )
        if self.layers and not 0 <= self.layers[0] <= self.layers[-1] < own[1]:
            raise SampleError(
                f"directions of {self.model!r} move the layer {self.layers[-1]}, "
                f"but {spec.name!r} has the layers 0 to {own[1] - 1}."
            )
        if self.model != spec.name:
            warnings.warn(
                f"the directions were computed for {self.model!r}, not for {spec.name!r}",
                stacklevel=3,
            )
        elif self.weights not in ("", spec.weights_id):
            warnings.warn(
                f"the directions were computed for other weights of {self.model!r}", stacklevel=3
            )

    def start(self, model: Generator, codes: Codes, psi: float | None = None) -> Codes:
        """Return codes in the space of the directions.

        Args:
            model: the generator.
            codes: codes of the model.
            psi: truncation of z that is mapped to w, as for `Generator.styles_of`.

        Raises:
            SampleError: the directions are of a model with other latents, or psi is out of range or
                the model has no w.
        """
        self.check(model.spec)
        if self.layers:
            return Codes(y=codes.y, styles=model.styles_of(codes, psi))
        if psi is not None:
            raise SampleError(f"{model.spec.name!r} has no w to truncate. Omit psi.")
        return codes

    def move(
        self, codes: Codes, number: int, strength: float, layers: Sequence[int] | None = None
    ) -> Codes:
        """Move codes along a direction.

        Args:
            codes: codes of `start`.
            number: number of the direction, from 0.
            strength: length of the move, in standard deviations of the model's latents along the
                direction.
            layers: layers whose w moves; by default those of the directions.

        Raises:
            SampleError: there is no such direction or layer, or the strength is not finite.
        """
        number = to_integer("number", number)
        if not 0 <= number < len(self):
            raise SampleError(f"there is no direction {number}. Use 0 to {len(self) - 1}.")
        if not math.isfinite(to_number("strength", strength)):
            raise SampleError(f"the strength is {strength}; it must be finite, such as 2 or -2.")
        step = strength * float(self.scales[number]) * self.vectors[number].astype(np.float64)
        if np.abs(step).max() > np.finfo(np.float32).max:
            raise SampleError(
                f"the strength {strength:g} moves latents beyond the range of float32. Use a "
                "smaller one, such as 2."
            )
        if codes.styles is None:
            assert codes.z is not None  # guaranteed by `start`
            if layers is not None:
                raise SampleError("codes in z have no w, which layers read. Omit the layers.")
            return Codes(codes.z + step.astype(np.float32), codes.y)
        styles = codes.styles.copy()
        chosen = [to_integer("a layer", k) for k in (self.layers if layers is None else layers)]
        if not all(0 <= layer < styles.shape[1] for layer in chosen):
            raise SampleError(
                f"the layers {shorten(str(chosen), 80)} do not all exist. Use 0 to "
                f"{styles.shape[1] - 1}."
            )
        styles[:, chosen] += step.astype(np.float32)
        return Codes(y=codes.y, styles=styles)
