"""Load each network of a page once, at its first use, and share it between all visitors."""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ganzoo.bundle import Bundle
from ganzoo.bundle.summary import ModelSummary, read_summary
from ganzoo.errors import BundleError, GanzooError, SampleError, UnknownNameError, enumerate_names
from ganzoo.registry import models
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.own_plugins import OWN_PLUGINS
from ganzoo.sampling.direction_methods import compute_directions, default_count
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.model import Model
from ganzoo.sampling.translation import Encoder, Translator
from ganzoo.spec import ModelSpec
from ganzoo.zoo import find

RuntimeName = Literal["onnx", "torch"]

SLIDERS = 8  # directions of a model
DRAWS = 2_000  # latents from which the scales of directions are computed


class ModelCache:
    """The models of a page, by name.

    Attributes:
        names: the models' names, in the page's order.
    """

    def __init__(
        self,
        bundles: Mapping[str, Bundle],
        runtime: RuntimeName = "onnx",
        directions: Iterable[Directions] = (),
    ) -> None:
        self.names = tuple(bundles)
        self._bundles = bundles
        self._runtime = runtime
        self._loaded: dict[tuple[str, str, RuntimeName], Model] = {}
        self._lock = threading.Lock()
        self._directions_lock = threading.Lock()
        self._directions: dict[str, Directions] = {}
        for each in directions:
            if (name := self._name_of(each)) in self._directions:
                raise SampleError(f"there are two files of directions of {name!r}. Pass one.")
            self._directions[name] = each

    @classmethod
    def of(
        cls,
        names: Sequence[str] = (),
        runtime: RuntimeName = "onnx",
        directions: Sequence[str | Path] = (),
    ) -> ModelCache:
        """Open models, by default all that ship with ganzoo and with its installed plugins.

        Warns about shipped models that cannot be opened and leaves them out. Of shipped models,
        those in colour come first, of them those with a mapping network; then they are ordered by
        dataset, the most frequent first, and by Fréchet distance.

        Args:
            names: names of models.
            runtime: the runtime of all networks; models without ONNX files run on torch.
            directions: files of `ganzoo directions` for models of the page.

        Raises:
            UnknownNameError, NotABundleError, BundleError, HubError, NameSyntaxError: as for
                `ganzoo.load`.
            SampleError: a file of directions cannot be read, or fits no model of the page.
        """
        files = [Directions.read(file) for file in directions]
        if names:
            return cls({name: find(name) for name in names}, runtime, files)
        bundles = _shipped()
        summaries = {name: read_summary(bundle) for name, bundle in bundles.items()}
        counts = Counter(summary.dataset for summary in summaries.values())
        order = sorted(
            summaries,
            key=lambda name: (
                _rank(bundles[name].spec),
                -counts[summaries[name].dataset],
                _distance(summaries[name]),
            ),
        )
        return cls({name: bundles[name] for name in order}, runtime, files)

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
    def with_styles(self) -> tuple[str, ...]:
        """Return the names of generators with a mapping network."""
        return tuple(name for name in self.generators if self.spec(name).styles)

    @property
    def autoencoders(self) -> tuple[str, ...]:
        """Return the names of generators that have an encoder."""
        return tuple(name for name in self.generators if "encoder" in self.spec(name).roles)

    @property
    def translators(self) -> tuple[str, ...]:
        """Return the names of translators."""
        return tuple(name for name in self.names if "condition" in self.spec(name).inputs)

    @property
    def upscalers(self) -> tuple[str, ...]:
        """Return the names of translators that read images of any size, and no latents."""
        names = self.translators
        return tuple(n for n in names if self.spec(n).sizes and "z" not in self.spec(n).inputs)

    @property
    def drawable(self) -> tuple[str, ...]:
        """Return the names of translators that do not enlarge, whose condition may be drawn."""
        sizes = {name: self.spec(name).sizes for name in self.translators}
        return tuple(name for name, size in sizes.items() if size is None or size.scale == 1)

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

    def generator(self, name: str, runtime: RuntimeName | None = None) -> Generator:
        """Return a generator.

        Args:
            name: its name.
            runtime: ``torch`` for gradients and weights; by default the runtime of the page.

        Raises:
            UnknownNameError: the page has no generator of this name.
            BundleError: the model cannot be loaded.
        """
        model = self._load(name, "generator", self.generators, runtime)
        assert isinstance(model, Generator)
        return model

    def directions(self, name: str) -> Directions:
        """Return directions of a generator: those of a file, or else computed at the first use.

        They are computed by SeFa. For a model with a mapping network, SeFa needs torch and the
        plugin of the architecture; without them, GANSpace replaces it.

        Raises:
            UnknownNameError, BundleError: as for `generator`.
        """
        with self._directions_lock:
            if name not in self._directions:
                self._directions[name] = self._compute_directions(name)
            return self._directions[name]

    def known_directions(self, name: str) -> Directions | None:
        """Return the directions of a generator if they are of a file or computed already."""
        return self._directions.get(name)

    def direction_names(self, name: str) -> tuple[str, ...]:
        """Return the names of a generator's directions, up to 8, without computing them.

        Raises:
            UnknownNameError: as for `generator`.
        """
        if name in self._directions:
            return self._directions[name].names[:SLIDERS]
        return tuple(f"direction {k}" for k in range(default_count(self.spec(name))))

    def _compute_directions(self, name: str) -> Directions:
        count, styles = default_count(self.spec(name)), self.spec(name).styles
        if styles is None:
            return compute_directions(self.generator(name), "sefa", count=count, draws=DRAWS)
        if has_torch():
            with contextlib.suppress(GanzooError):  # the plugin of the architecture is missing
                model = self.generator(name, "torch")
                return compute_directions(model, "sefa", count=count, draws=DRAWS)
        return compute_directions(self.generator(name), "ganspace", count=count, draws=DRAWS)

    def _name_of(self, directions: Directions) -> str:
        """Return the name of the model of directions: of several, that with the same weights."""
        specs = {name: self.spec(name) for name in self.names}
        candidates = [name for name, spec in specs.items() if spec.name == directions.model]
        candidates.sort(key=lambda name: specs[name].weights_id != directions.weights)
        for name in candidates:
            directions.check(specs[name])
            return name
        raise SampleError(
            f"the directions are of {directions.model!r}, and no model of this page has this name. "
            f"Its models: {enumerate_names(self.names)}."
        )

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

    def _load(
        self,
        name: str,
        role: str,
        supported: tuple[str, ...],
        runtime: RuntimeName | None = None,
    ) -> Model:
        bundle, runtime = self.bundle(name), runtime or self._runtime
        if name not in supported:
            raise UnknownNameError(
                f"{name!r} does not support this. Choose one of {enumerate_names(supported)}."
            )
        with self._lock:  # two visitors must not load the model twice
            if (name, role, runtime) not in self._loaded:
                self._loaded[name, role, runtime] = _load(bundle, role, runtime)
            return self._loaded[name, role, runtime]


def has_torch() -> bool:
    """Return whether torch is installed; it is not imported."""
    return find_spec("torch") is not None


def _shipped() -> dict[str, Bundle]:
    bundles, failures = {}, []
    for entry in models.entries():
        if entry.distribution == DISTRIBUTION or entry.distribution in OWN_PLUGINS:
            # A plugin of others may register the same name.
            name = models.prefer(entry.name, entry.distribution)
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


def _rank(spec: ModelSpec) -> int:
    """Return 0 for models in colour with a mapping network, 1 for others in colour, 2 for grey."""
    if spec.data.image.channels != 3:
        return 2
    return 0 if spec.styles else 1


def _distance(summary: ModelSummary) -> float:
    return math.inf if summary.distance is None else summary.distance


def _load(bundle: Bundle, role: str, runtime: RuntimeName) -> Model:
    if runtime == "torch" or (bundle.spec.onnx_failure and has_torch()):
        from ganzoo.runtimes.torch import load_torch

        model: Model = load_torch(bundle, role)
        return model
    from ganzoo.runtimes.onnx import load_onnx

    return load_onnx(bundle, role)
