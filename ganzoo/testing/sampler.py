"""Samplers under test, and their checks."""

from __future__ import annotations

import inspect

import numpy as np

from ganzoo.errors import ConformanceError
from ganzoo.registry import samplers
from ganzoo.registry.signatures import arguments_of
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.model import Inputs, Model
from ganzoo.sampling.samplers import RESERVED, Codes, Draw, draw_codes
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec, StyleSpec
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.imports import imports_quietly

DIM, LAYERS, CLASSES = 6, 4, 3
SEED, IMAGES, PART = 5, 8, slice(3, 6)


class _Mapping(Model):
    """A mapping network that returns its latents."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    def run(self, inputs: Inputs) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Return z as w."""
        return np.asarray(inputs["z"], np.float32)


class _Mapped(Generator):
    """A generator with classes and a mapping network, for samplers, which run no other part."""

    w_average = np.zeros(DIM, np.float32)

    def __init__(self) -> None:
        self.spec = ModelSpec(
            name="mapped",
            architecture="none",
            arguments={},
            requires=(),
            data=DataSpec(ImageSpec(8, 8, 3), classes=CLASSES),
            latent=LatentSpec(DIM),
            styles=StyleSpec(DIM, LAYERS),
            inputs=("z", "y"),
        )

    def run(self, inputs: Inputs) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Return black images."""
        return np.full((len(inputs["z"]), 3, 8, 8), -1, np.float32)

    def part(self, role: str) -> Model:
        """Return the mapping network."""
        return _Mapping(self.spec)


def draws(subject: Sampler) -> None:
    """It returns ganzoo.Codes of the shapes that a generator with a mapping network reads."""
    if reserved := RESERVED & arguments_of(subject.thing).keys():
        raise ConformanceError(
            f"{subject.label} has the option {min(reserved)!r}, which is an argument of "
            "`Generator.sample`: rename it."
        )
    codes = subject.codes(Draw.of(SEED, IMAGES, y=np.arange(IMAGES) % CLASSES))
    _Mapped().render(codes) if codes.styles is None else _check_styles(subject, codes)


def draws_in_parts(subject: Sampler) -> None:
    """An image depends on its seed, number and class alone, not on the others of a series."""
    y = np.arange(IMAGES) % CLASSES
    with prerequisite("draws"):
        whole = subject.codes(Draw.of(SEED, IMAGES, y=y))
    part = subject.codes(Draw.of(SEED, 3, start=PART.start, y=y[PART]))
    for name, a, b in zip(Codes._fields, whole, part, strict=True):
        both = a is not None and b is not None
        if not (np.allclose(a[PART], b, atol=1e-6) if both else a is b):  # type: ignore[index, arg-type]
            raise ConformanceError(
                f"{subject.label} draws other {name} for image {PART.start} of a seed if images "
                "before it are drawn too: derive all random numbers from `draw.normal` and "
                "`draw.uniform`."
            )


def _check_styles(subject: Sampler, codes: Codes) -> None:
    assert codes.styles is not None
    if codes.styles.shape != (IMAGES, LAYERS, DIM):
        raise ConformanceError(
            f"{subject.label} returns styles of shape {codes.styles.shape}, not (images, layers, "
            f"dim) = {(IMAGES, LAYERS, DIM)}: use `model.to_styles`."
        )


class Sampler(CheckedPlugin):
    """A sampler under test."""

    registry = samplers
    checks = (
        registration.loads,
        registration.takes_named_arguments,
        imports_quietly,
        draws,
        draws_in_parts,
    )

    def codes(self, draw: Draw) -> Codes:
        """Return what the sampler draws with its default options."""
        for argument in arguments_of(self.thing).values():
            if argument.default is inspect.Parameter.empty:
                raise NotChecked(f"its option {argument.name!r} has no default")
        return draw_codes(_Mapped(), draw, self.entry.address, {})
