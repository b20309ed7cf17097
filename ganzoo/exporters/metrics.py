"""Write evaluation results into a bundle's config and card."""

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

# Evaluations that agree in these fields share a protocol: a newer one replaces the older.
_PROTOCOL_FIELDS = (
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
    """Add an evaluation to a bundle's config and card, replacing one of the same protocol.

    Metrics of the older evaluation are kept if its versions, hardware and other conditions are
    equal. A card that cannot be updated is left unchanged, with a warning.

    Args:
        bundle: the bundle that was measured.
        evaluation: ``metrics`` and ``protocol``, as JSON.

    Raises:
        BundleError: the bundle has changed since it was opened.
        OutputError: the bundle cannot be written.
    """
    evaluation = json.loads(json.dumps(evaluation))  # compares like the stored evaluations
    provenance = bundle.spec.provenance
    protocol = _protocol_key(evaluation)
    previous = [entry for entry in _evaluations(bundle) if _protocol_key(entry) != protocol]
    for entry in _evaluations(bundle):
        if _conditions(entry) == _conditions(evaluation):
            settings = entry["protocol"].get("settings", {}) | evaluation["protocol"]["settings"]
            evaluation = {
                METRICS: entry[METRICS] | evaluation[METRICS],
                "protocol": evaluation["protocol"] | {"settings": settings},
            }
    spec = replace(bundle.spec, provenance=provenance | {METRICS: [*previous, evaluation]})
    amend_bundle(bundle, spec, _updated_card(bundle, spec))


def record_seeds(bundle: Bundle, metric: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Write the results of several training seeds of the recipe into a bundle's config and card.

    Args:
        bundle: the bundle.
        metric: the metric's name, such as ``frechet_distance``.
        figures: results by seed: ``final`` of the last weights, ``best`` of the best snapshot, and
            ``best_images``, the number of training images of that snapshot.

    Raises:
        BundleError: the bundle has changed since it was opened.
        OutputError: the bundle cannot be written.
    """
    results = {seed: dict(values) for seed, values in figures.items()}
    seeds = {"metric": metric, "figures": results}
    spec = replace(bundle.spec, provenance=bundle.spec.provenance | {SEEDS: seeds})
    amend_bundle(bundle, spec, _updated_card(bundle, spec))


def _updated_card(bundle: Bundle, spec: ModelSpec) -> dict[str, str]:
    """Return a bundle's card for another config, by file name; empty if it stays unchanged."""
    config = hashlib.sha256(spec.to_json().encode()).hexdigest()
    digests = read_checksums(bundle.path) | {CONFIG: config}
    try:
        card = cards.read(bundle.path)
        if card is None:
            return {}
        return {CARD: cards.compose(cards.CardContext.at(spec, bundle.path, digests), card)}
    except CardError as error:
        warnings.warn(f"the card is left unchanged: {error}", stacklevel=3)
        return {}


def _evaluations(bundle: Bundle) -> list[dict[str, Any]]:
    """Return the recorded evaluations, without entries of another form."""
    entries = bundle.spec.provenance.get(METRICS)
    return [
        entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get(METRICS), dict)
        and isinstance(protocol := entry.get("protocol"), dict)
        and isinstance(protocol.get("settings", {}), dict)
    ]


def _protocol_key(evaluation: dict[str, Any]) -> list[Any]:
    return [evaluation["protocol"].get(field) for field in _PROTOCOL_FIELDS]


def _conditions(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Return the protocol without what depends on the choice of metrics."""
    return {k: v for k, v in evaluation["protocol"].items() if k not in ("settings", "left_out")}
