"""The models of a page: each network loaded once, at its first use, and shared by all visitors."""

from __future__ import annotations

import math
import threading
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from ganzoo.bundle import Bundle
from ganzoo.bundle.summary import ModelSummary, read_summary
from ganzoo.errors import BundleError, GanzooError, UnknownNameError, enumerate_names
from ganzoo.registry import models
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.sampling.generator import Encoder, Generator, Model, Translator
from ganzoo.spec import ModelSpec
from ganzoo.zoo import find

RuntimeName = Literal["onnx", "torch"]


class ModelCache:
    """Models by the name they were asked for.

    Attributes:
        names: in the order they were named.
    """

    def __init__(self, bundles: Mapping[str, Bundle], runtime: RuntimeName = "onnx") -> None:
        self.names = tuple(bundles)
        self._bundles = bundles
        self._runtime = runtime
        self._loaded: dict[tuple[str, str], Model] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, names: Sequence[str] = (), runtime: RuntimeName = "onnx") -> ModelCache:
        """Find models, by default all that ship with ganzoo.

        Of those that ship, what cannot be had is left out and warned of. The data that most of them
        were trained on come first, and of each data the best by their own figures.

        Raises:
            UnknownNameError, NotABundleError, BundleError, HubError, NameSyntaxError: as for
                `ganzoo.load`.
        """
        if names:
            return cls({name: find(name) for name in names}, runtime)
        bundles = _shipped()
        summary = {name: read_summary(bundle) for name, bundle in bundles.items()}
        models = Counter(found.dataset for found in summary.values())
        order = sorted(
            summary, key=lambda name: (-models[summary[name].dataset], _distance(summary[name]))
        )
        return cls({name: bundles[name] for name in order}, runtime)

    @property
    def generators(self) -> tuple[str, ...]:
        """Models that make images out of latents."""
        return tuple(name for name in self.names if "condition" not in self.spec(name).inputs)

    @property
    def free(self) -> tuple[str, ...]:
        """Generators again, first those whose latents alone decide: on a way they show most."""
        return tuple(sorted(self.generators, key=lambda name: "y" in self.spec(name).inputs))

    @property
    def walkable(self) -> tuple[str, ...]:
        """Those whose latents have two directions at least."""
        return tuple(n for n in self.free if (s := self.spec(n).latent) and s.dim > 1)

    @property
    def autoencoders(self) -> tuple[str, ...]:
        """Those that have an encoder, and so make an image again."""
        return tuple(name for name in self.generators if "encoder" in self.spec(name).roles)

    @property
    def translators(self) -> tuple[str, ...]:
        """Models that make images out of images."""
        return tuple(name for name in self.names if "condition" in self.spec(name).inputs)

    def bundle(self, name: str) -> Bundle:
        """Return a model's bundle.

        Raises:
            UnknownNameError: it is not on the page.
        """
        if name not in self._bundles:
            raise UnknownNameError(
                f"no model named {name!r} is on this page. It shows {enumerate_names(self.names)}."
            )
        return self._bundles[name]

    def spec(self, name: str) -> ModelSpec:
        """Return a model's config.

        Raises:
            UnknownNameError: it is not on the page.
        """
        return self.bundle(name).spec

    def generator(self, name: str) -> Generator:
        """Return what makes images out of latents.

        Raises:
            UnknownNameError: no model on the page does so under that name.
            BundleError: it cannot be loaded.
        """
        found = self._load(name, "generator", self.generators)
        assert isinstance(found, Generator)
        return found

    def encoder(self, name: str) -> Encoder:
        """Return what makes latents out of images; errors are those of `generator`."""
        found = self._load(name, "encoder", self.autoencoders)
        assert isinstance(found, Encoder)
        return found

    def translator(self, name: str) -> Translator:
        """Return what makes images out of images; errors are those of `generator`."""
        found = self._load(name, "generator", self.translators)
        assert isinstance(found, Translator)
        return found

    def _load(self, name: str, role: str, able: tuple[str, ...]) -> Model:
        bundle = self.bundle(name)
        if name not in able:
            raise UnknownNameError(
                f"{name!r} cannot do that on this page. What can: {enumerate_names(able)}."
            )
        with self._lock:  # two visitors at once do not load it twice
            if (name, role) not in self._loaded:
                self._loaded[name, role] = _load(bundle, role, self._runtime)
            return self._loaded[name, role]


def _shipped() -> dict[str, Bundle]:
    found, failures = {}, []
    for entry in models.entries():
        if entry.distribution == DISTRIBUTION:
            name = models.prefer(entry.name, DISTRIBUTION)  # another plugin may have that name too
            try:
                found[name] = find(entry.address)
            except GanzooError as error:
                failures.append(f"{name}: {error}")
    said = f"the page lacks what cannot be had: {' '.join(failures)}"
    if not found:
        raise BundleError(said)
    if failures:
        warnings.warn(said, stacklevel=4)
    return found


def _distance(summary: ModelSummary) -> float:
    return math.inf if summary.distance is None else summary.distance


def _load(bundle: Bundle, role: str, runtime: RuntimeName) -> Model:
    if runtime == "torch":
        from ganzoo.runtimes.torch import load_torch

        loaded: Model = load_torch(bundle, role)
        return loaded
    from ganzoo.runtimes.onnx import load_onnx

    return load_onnx(bundle, role)
