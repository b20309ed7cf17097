"""The fields of a card's header, which the Hub reads.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

from typing import Any

from ganzoo.cards.context import CardContext
from ganzoo.cards.figures import caption
from ganzoo.cards.header import Metadata
from ganzoo.cards.results import SHARE

INDEX = "model-index"  # the field that holds the metrics
_DATA = ("type", "config", "split")  # fields of a dataset that distinguish evaluations
DIGITS = 4  # significant digits of a metric


def describe(context: CardContext) -> Metadata:
    """Return the header's fields, computed from a model's config."""
    spec = context.spec
    tags = [
        "autoencoder" if context.is_autoencoder else "gan",
        *["class-conditional"] * ("y" in spec.inputs),
        *filter(None, (spec.architecture, context.loss)),
        *([] if spec.onnx_failure else ["onnx"]),
        "safetensors",
    ]
    fields = _license(context)
    fields |= {"library_name": "ganzoo", "pipeline_tag": context.task}
    fields["tags"] = list(dict.fromkeys(tags))
    if (address := str(context.initial.get("address", ""))).startswith("hf://"):
        fields["base_model"] = address.removeprefix("hf://").partition("@")[0]
    if spec.data.hub:
        fields["datasets"] = [spec.data.hub]
    if samples := context.samples:
        fields["thumbnail"] = f"{context.place.files}{samples}"
        fields["widget"] = [{"text": caption(context), "output": {"url": samples}}]
    if results := _results(context):
        fields[INDEX] = [{"name": spec.name, "results": results}]
    return fields


def _license(context: CardContext) -> Metadata:
    """Return the licences of the weights; the name and link of the first that has them.

    After a start from trained weights on images without a known licence, the author states them.
    """
    licenses = () if context.lacks_image_license else context.spec.licenses
    ids = list(dict.fromkeys(filter(None, (each["id"] for each in licenses))))
    fields: Metadata = {"license": ids[0] if len(ids) == 1 else ids} if ids else {}
    for key in ("name", "link"):
        if value := next((each[key] for each in licenses if each[key]), ""):
            fields[f"license_{key}"] = value
    return fields


def merge(header: Metadata, described: Metadata) -> Metadata:
    """Return the merged header: the config's fields, and the author's other fields and tags.

    The author's licence and datasets are kept if the config states none.
    """
    own = {key: value for key, value in header.items() if key not in (*described, INDEX)}
    merged = described | own
    tags = header.get("tags")
    if isinstance(tags, list):
        merged["tags"] = list(dict.fromkeys([*described["tags"], *map(str, tags)]))
    return merged


def figures(metadata: Metadata) -> dict[str, Any]:
    """Return the metrics in a header, by a label that names the metric, protocol and data."""
    values = {}
    for model in _tables(metadata.get(INDEX)):
        for result in _tables(model.get("results")):
            data = result.get("dataset")
            on = [data.get(key) for key in _DATA] if isinstance(data, dict) else []
            for metric in _tables(result.get("metrics")):
                by = [metric.get("type"), metric.get("config")]
                label = " by ".join(str(part) for part in by if part)
                dataset = " ".join(str(part) for part in on if part)
                values[f"{label} on {dataset}" if dataset else label] = metric.get("value")
    return values


def _tables(value: Any) -> list[Metadata]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _results(context: CardContext) -> list[Metadata]:
    """Return the metrics of every evaluation, grouped by the dataset they compare with.

    Values have four significant digits. The share of each class stays in the card's text.
    """
    data = context.spec.data
    results: dict[str, Metadata] = {}
    for evaluation in context.evaluations:
        protocol = evaluation["protocol"]
        arguments = dict(protocol["dataset"])
        name = arguments.pop("name")
        of_training = name == context.spec.recorded("recipe", "dataset").get("name")
        dataset = {
            "type": (data.hub if of_training else "") or name,
            "name": protocol.get("origin") or (data.origin if of_training else "") or name,
        }
        if "split" in arguments:
            dataset["split"] = str(arguments.pop("split"))
        settings = [f"{k} {v}" for k, v in arguments.items()]
        if not (context.imported or context.is_on_training_images(evaluation)):
            settings.append("not the training images")
        if settings:
            dataset["config"] = ", ".join(settings)
        result = results.setdefault(
            repr(dataset), {"task": {"type": context.task}, "dataset": dataset, "metrics": []}
        )
        by = protocol.get("extractor", "pair by pair")
        config = (
            f"{by}, {protocol['samples']} samples of seed {protocol['seed']}, {protocol['runtime']}"
        )
        result["metrics"] += [
            {"type": key, "value": _round(value), "name": key.replace("_", " "), "config": config}
            for key, value in evaluation["metrics"].items()
            if not key.startswith(SHARE)
        ]
    return list(results.values())


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
