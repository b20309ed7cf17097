"""Show the config of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ganzoo.cli.formatting import brief
from ganzoo.cli.tables import print_items
from ganzoo.errors import MALFORMED, quantity
from ganzoo.spec import IMPORTED, INITIAL, ONNX, ModelSpec, is_parity
from ganzoo.system.terminal import print_out

INVALID = "not in the format of ganzoo"


def _sizes(spec: ModelSpec) -> dict[str, Any]:
    """Return the rows on the images of a translator of any size."""
    if (sizes := spec.sizes) is None:
        return {}
    exact = f"exact, with an overlap of {2 * sizes.reach}" if sizes.reach is not None else "blended"
    return {
        "sizes": f"any, padded to multiples of {sizes.multiple}",
        **({"scale": sizes.scale} if sizes.scale > 1 else {}),
        "tiles": exact,
    }


def print_model(name: str, spec: ModelSpec) -> None:
    """Print the architecture, inputs, data and provenance of a model.

    Args:
        name: the heading.
        spec: the config of the model.
    """
    from ganzoo.cards.facts import describe_distribution
    from ganzoo.cards.training import describe_changes

    provenance = spec.provenance
    arguments = ", ".join(f"{k}={v}" for k, v in spec.arguments.items())
    rows: dict[str, Any] = {
        "architecture": f"{spec.architecture}({arguments})",
        "image": spec.data.image,
        **_sizes(spec),
        "reads": ", ".join(spec.inputs),
        "latent": f"{spec.latent.dim} x {describe_distribution(spec)}" if spec.latent else "none",
        "classes": spec.data.classes if "y" in spec.inputs else "none",
        "networks": ", ".join(spec.roles)
        + (f"; for further training {', '.join(roles)}" if (roles := spec.training_roles) else ""),
        **({"data": spec.data.origin} if spec.data.origin else {}),
        **_images(spec),
        "licence": _licence(spec),
        "needs": ", ".join(spec.requires) or "only ganzoo",
    } | {
        key.replace("_", " "): value
        for key, value in provenance.items()
        if key not in ("recipe", "data", "metrics", "history") and not isinstance(value, dict)
    }
    if reason := spec.onnx_failure:
        rows[ONNX] = f"none, so it runs on torch alone: {reason}"
    if imported := spec.recorded(IMPORTED):
        rows["imported from"] = f"{imported.get('file')} of {imported.get('project')}"
    if initial := spec.recorded(INITIAL):
        rows["initial"] = f"weights of {initial.get('model')}, {initial.get('weights_id')}"
    try:
        for number, (moment, changes) in enumerate(describe_changes(provenance), start=1):
            rows[f"history {number}"] = f"{moment}: {changes}"
    except MALFORMED:
        rows["history"] = INVALID
    for part in ("versions", "plugins", *filter(is_parity, provenance)):
        if isinstance(provenance.get(part), dict):
            rows[part.replace("_", " ")] = _or_invalid(_figures, provenance[part])
    metrics = provenance.get("metrics", [])
    for number, evaluation in enumerate(metrics if isinstance(metrics, list) else [None], start=1):
        rows[f"metrics {number}"] = _or_invalid(_metrics, evaluation)
    print_out(name)
    print_items([(key, [str(value)]) for key, value in rows.items()])


def _licence(spec: ModelSpec) -> str:
    """Return the licences of the weights: after `--init-from`, of the model and of the images."""
    advice = "state it in the card: license: ID in its header"
    if not (initial := spec.recorded(INITIAL)):
        return spec.license or f"not recorded; {advice}"
    try:
        names = " and ".join(each["name"] or each["id"] for each in initial["licenses"])
    except MALFORMED:
        names = INVALID
    images = spec.data.license or f"not stated; {advice}"
    return f"of the initial weights {names or 'not recorded'}; of the images {images}"


def _images(spec: ModelSpec) -> dict[str, str]:
    """Return rows about the image files that the model was trained on."""
    from ganzoo.cards.training import describe_images

    try:
        return dict(describe_images(spec.recorded("data")))
    except MALFORMED:
        return {"fit": INVALID}


def _or_invalid(describe: Callable[[Any], str], field: Any) -> str:
    """Return the description of a field of the provenance, which is free-form."""
    try:
        return describe(field)
    except MALFORMED:
        return INVALID


def _figures(figures: dict[str, Any]) -> str:
    return ", ".join(f"{k.replace('_', ' ')} {brief(v)}" for k, v in figures.items())


def _metrics(evaluation: dict[str, Any]) -> str:
    protocol = evaluation["protocol"]
    return (
        f"{_figures(evaluation['metrics'])} ({quantity(protocol['samples'], 'sample')}, "
        f"{protocol.get('extractor', 'pair by pair')}, "
        f"{' '.join(map(str, protocol['dataset'].values()))})"
    )
