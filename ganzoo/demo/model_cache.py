"""Load each network of a page once, at its first use, and share it between all visitors."""

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
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.model import Model
from ganzoo.sampling.translation import Encoder, Translator
from ganzoo.spec import ModelSpec
from ganzoo.zoo import find

RuntimeName = Literal["onnx", "torch"]


class ModelCache:
    """The models of a page, by name.

    Attributes:
        names: the models' names, in the page's order.
    """

    def __init__(self, bundles: Mapping[str, Bundle], runtime: RuntimeName = "onnx") -> None:
        self.names = tuple(bundles)
        self._bundles = bundles
        self._runtime = runtime
        self._loaded: dict[tuple[str, str], Model] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, names: Sequence[str] = (), runtime: RuntimeName = "onnx") -> ModelCache:
        """Open models, by default all that ship with ganzoo.

        Warns about shipped models that cannot be opened and leaves them out. Shipped models are
        ordered by dataset, the most frequent first, and then by Fréchet distance.

        Raises:
            UnknownNameError, NotABundleError, BundleError, HubError, NameSyntaxError: as for
                `ganzoo.load`.
        """
        if names:
            return cls({name: find(name) for name in names}, runtime)
        bundles = _shipped()
        summaries = {name: read_summary(bundle) for name, bundle in bundles.items()}
        counts = Counter(summary.dataset for summary in summaries.values())
        order = sorted(
            summaries,
            key=lambda name: (-counts[summaries[name].dataset], _distance(summaries[name])),
        )
        return cls({name: bundles[name] for name in order}, runtime)

    @property
    def generators(self) -> tuple[str, ...]:
        """Return the names of generators."""
        return tuple(name for name in self.names if "condition" not in self.spec(name).inputs)

    @property
    def unconditional_first(self) -> tuple[str, ...]:
        """Return the names of generators, those without classes first: they interpolate best."""
        return tuple(sorted(self.generators, key=lambda name: "y" in self.spec(name).inputs))

    @property
    def walkable(self) -> tuple[str, ...]:
        """Return the names of generators whose latents have two numbers at least."""
        names = self.unconditional_first
        return tuple(n for n in names if (latent := self.spec(n).latent) and latent.dim > 1)

    @property
    def autoencoders(self) -> tuple[str, ...]:
        """Return the names of generators that have an encoder."""
        return tuple(name for name in self.generators if "encoder" in self.spec(name).roles)

    @property
    def translators(self) -> tuple[str, ...]:
        """Return the names of translators."""
        return tuple(name for name in self.names if "condition" in self.spec(name).inputs)

    def bundle(self, name: str) -> Bundle:
        """Return a model's bundle.

        Raises:
            UnknownNameError: it is not on the page.
        """
        if name not in self._bundles:
            raise UnknownNameError(
                f"no model named {name!r} is on this page. Choose one of "
                f"{enumerate_names(self.names)}."
            )
        return self._bundles[name]

    def spec(self, name: str) -> ModelSpec:
        """Return a model's config.

        Raises:
            UnknownNameError: it is not on the page.
        """
        return self.bundle(name).spec

    def generator(self, name: str) -> Generator:
        """Return a generator.

        Raises:
            UnknownNameError: the page has no generator of this name.
            BundleError: the model cannot be loaded.
        """
        model = self._load(name, "generator", self.generators)
        assert isinstance(model, Generator)
        return model

    def encoder(self, name: str) -> Encoder:
        """Return an encoder; raises the errors of `generator`."""
        model = self._load(name, "encoder", self.autoencoders)
        assert isinstance(model, Encoder)
        return model

    def translator(self, name: str) -> Translator:
        """Return a translator; raises the errors of `generator`."""
        model = self._load(name, "generator", self.translators)
        assert isinstance(model, Translator)
        return model

    def _load(self, name: str, role: str, supported: tuple[str, ...]) -> Model:
        bundle = self.bundle(name)
        if name not in supported:
            raise UnknownNameError(
                f"{name!r} does not support this. Choose one of {enumerate_names(supported)}."
            )
        with self._lock:  # two visitors must not load the model twice
            if (name, role) not in self._loaded:
                self._loaded[name, role] = _load(bundle, role, self._runtime)
            return self._loaded[name, role]


def _shipped() -> dict[str, Bundle]:
    bundles, failures = {}, []
    for entry in models.entries():
        if entry.distribution == DISTRIBUTION:
            name = models.prefer(entry.name, DISTRIBUTION)  # a plugin may register the same name
            try:
                bundles[name] = find(entry.address)
            except GanzooError as error:
                failures.append(f"{name}: {error}")
    message = f"the page leaves out models that cannot be opened: {' '.join(failures)}"
    if not bundles:
        raise BundleError(message)
    if failures:
        warnings.warn(message, stacklevel=4)
    return bundles


def _distance(summary: ModelSummary) -> float:
    return math.inf if summary.distance is None else summary.distance


def _load(bundle: Bundle, role: str, runtime: RuntimeName) -> Model:
    if runtime == "torch":
        from ganzoo.runtimes.torch import load_torch

        model: Model = load_torch(bundle, role)
        return model
    from ganzoo.runtimes.onnx import load_onnx

    return load_onnx(bundle, role)
