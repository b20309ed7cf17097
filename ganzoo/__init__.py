"""ganzoo: a plugin-based model zoo for generative adversarial networks.

Example:
    >>> import ganzoo
    >>> ganzoo.load("dcgan-mnist").sample(64, seed=0).save("digits.png")

Public names are imported at first use. ``import ganzoo`` alone imports neither torch, onnxruntime
nor any plugin.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.comparison.benchmark import benchmark
    from ganzoo.comparison.models import compare, evaluate
    from ganzoo.exporters import export, import_checkpoint
    from ganzoo.games import Loss, Player
    from ganzoo.hub import push
    from ganzoo.nn import Extractor
    from ganzoo.registry import (
        architectures,
        datasets,
        export_targets,
        extractors,
        losses,
        metrics,
        models,
        monitors,
        penalties,
        recipes,
        samplers,
        trackers,
    )
    from ganzoo.registry.names import HubModel
    from ganzoo.sampling import latents
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.sampling.samplers import Codes, Draw
    from ganzoo.sampling.translation import Encoder, Translator
    from ganzoo.spec import DataSpec, ImageSpec, Metric, ModelSpec, Recipe, SizesSpec
    from ganzoo.training import Monitor, Tracker, resume, train
    from ganzoo.zoo import info, list_models, load

    __version__: str

_HOME = {
    "benchmark": "ganzoo.comparison.benchmark",
    "compare": "ganzoo.comparison.models",
    "evaluate": "ganzoo.comparison.models",
    "export": "ganzoo.exporters",
    "import_checkpoint": "ganzoo.exporters",
    "Loss": "ganzoo.games",
    "Player": "ganzoo.games",
    "Encoder": "ganzoo.sampling.translation",
    "Generator": "ganzoo.sampling.generator",
    "Translator": "ganzoo.sampling.translation",
    "push": "ganzoo.hub",
    "latents": "ganzoo.sampling",
    "Codes": "ganzoo.sampling.samplers",
    "Draw": "ganzoo.sampling.samplers",
    "ImageBatch": "ganzoo.sampling.images",
    "HubModel": "ganzoo.registry.names",
    "Extractor": "ganzoo.nn",
    "architectures": "ganzoo.registry",
    "datasets": "ganzoo.registry",
    "export_targets": "ganzoo.registry",
    "extractors": "ganzoo.registry",
    "losses": "ganzoo.registry",
    "metrics": "ganzoo.registry",
    "models": "ganzoo.registry",
    "monitors": "ganzoo.registry",
    "penalties": "ganzoo.registry",
    "recipes": "ganzoo.registry",
    "samplers": "ganzoo.registry",
    "trackers": "ganzoo.registry",
    "DataSpec": "ganzoo.spec",
    "ImageSpec": "ganzoo.spec",
    "Metric": "ganzoo.spec",
    "ModelSpec": "ganzoo.spec",
    "Recipe": "ganzoo.spec",
    "SizesSpec": "ganzoo.spec",
    "Monitor": "ganzoo.training",
    "Tracker": "ganzoo.training",
    "resume": "ganzoo.training",
    "train": "ganzoo.training",
    "info": "ganzoo.zoo",
    "list_models": "ganzoo.zoo",
    "load": "ganzoo.zoo",
}

__all__ = [
    "Codes",
    "DataSpec",
    "Draw",
    "Encoder",
    "Extractor",
    "Generator",
    "HubModel",
    "ImageBatch",
    "ImageSpec",
    "Loss",
    "Metric",
    "ModelSpec",
    "Monitor",
    "Player",
    "Recipe",
    "SizesSpec",
    "Tracker",
    "Translator",
    "__version__",
    "architectures",
    "benchmark",
    "compare",
    "datasets",
    "evaluate",
    "export",
    "export_targets",
    "extractors",
    "import_checkpoint",
    "info",
    "latents",
    "list_models",
    "load",
    "losses",
    "metrics",
    "models",
    "monitors",
    "penalties",
    "push",
    "recipes",
    "resume",
    "samplers",
    "trackers",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("torch-ganzoo")
    if name not in _HOME:
        raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
    from ganzoo.system.dependencies import quiet_imports

    try:
        with quiet_imports():
            value = getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from ganzoo.errors import missing_extra

        raise missing_extra(f"ganzoo.{name}", error) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
