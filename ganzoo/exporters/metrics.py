"""Figures go into the config of the model they are of, and from there into its card."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ganzoo import cards
from ganzoo.bundle import CARD, CONFIG, Bundle, amend_bundle, read_checksums
from ganzoo.errors import CardError
from ganzoo.spec import METRICS, SEEDS, ModelSpec

# Two evaluations that agree in these are of one protocol: the newer one takes the older's place.
_QUESTION = (
    *(
        "dataset",
        "sha256",
        "extractor",
        "extractor_sha256",
        "resizing",
        "real_images",
        "samples",
        "seed",
    ),
    "runtime",
)


def record(bundle: Bundle, evaluation: dict[str, Any]) -> None:
    """Add an evaluation to a bundle, in place of the one of the same protocol.

    Figures that it does not repeat stay where everything else, versions and hardware too, is equal.
    Its card states them too. One that cannot be renewed stays as it is, of which is warned.

    Args:
        bundle: the bundle, as it was when it was measured.
        evaluation: ``metrics`` and ``protocol``, as JSON.

    Raises:
        BundleError: the bundle has changed since.
        OutputError: it cannot be written.
    """
    evaluation = json.loads(json.dumps(evaluation))  # as what is kept was read
    made = bundle.spec.provenance
    others = [each for each in made.get(METRICS, []) if _question(each) != _question(evaluation)]
    for each in made.get(METRICS, []):
        if _conditions(each) == _conditions(evaluation):
            settings = each["protocol"]["settings"] | evaluation["protocol"]["settings"]
            evaluation = {
                METRICS: each[METRICS] | evaluation[METRICS],
                "protocol": evaluation["protocol"] | {"settings": settings},
            }
    spec = replace(bundle.spec, provenance=made | {METRICS: [*others, evaluation]})
    amend_bundle(bundle, spec, _renewed(bundle, spec))


def record_seeds(bundle: Bundle, metric: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Say in a bundle, and in its card, how trainings of its recipe with several seeds fared.

    Args:
        bundle: the bundle.
        metric: what was measured, such as ``frechet_distance``.
        figures: by seed: ``final``, of the last weights; ``best``, of those that scored best on the
            way, and ``best_images``, how many images they had seen.

    Raises:
        BundleError: the bundle has changed since.
        OutputError: it cannot be written.
    """
    said = {"metric": metric, "figures": {seed: dict(each) for seed, each in figures.items()}}
    spec = replace(bundle.spec, provenance=bundle.spec.provenance | {SEEDS: said})
    amend_bundle(bundle, spec, _renewed(bundle, spec))


def _renewed(bundle: Bundle, spec: ModelSpec) -> dict[str, str]:
    """The card of a bundle that gets another config, by its name; nothing where it stays."""
    config = hashlib.sha256(spec.to_json().encode()).hexdigest()
    digests = read_checksums(bundle.path) | {CONFIG: config}
    try:
        card = cards.read(bundle.path)
        if card is None:
            return {}
        return {CARD: cards.compose(cards.CardContext.at(spec, bundle.path, digests), card)}
    except CardError as error:
        warnings.warn(f"the card stays as it was: {error}", stacklevel=3)
        return {}


def _question(evaluation: dict[str, Any]) -> list[Any]:
    return [evaluation["protocol"].get(key) for key in _QUESTION]


def _conditions(evaluation: dict[str, Any]) -> dict[str, Any]:
    """The protocol, but for the settings of single metrics."""
    return {k: v for k, v in evaluation["protocol"].items() if k != "settings"}
