"""What the Hub reads of a model, in the fields of its card's header.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

from typing import Any

from ganzoo.cards.context import CardContext
from ganzoo.cards.figures import caption
from ganzoo.cards.header import Metadata
from ganzoo.sampling.generator import SAMPLES
from ganzoo.spec import METRICS

INDEX = "model-index"  # the field of the figures
_DATA = ("type", "config", "split")  # of a data set, what tells evaluations apart


def describe(context: CardContext) -> Metadata:
    """Return the header's fields that follow from a model's config."""
    spec = context.spec
    tags = [
        "autoencoder" if context.is_autoencoder else "gan",
        *(spec.architecture, context.made["recipe"]["loss"]["name"]),
        *("onnx", "safetensors"),
    ]
    found: Metadata = {"license": spec.data.license} if spec.data.license else {}
    found |= {"library_name": "ganzoo", "pipeline_tag": context.task}
    found["tags"] = list(dict.fromkeys(tags))
    if spec.data.hub:
        found["datasets"] = [spec.data.hub]
    if SAMPLES in context.digests:
        found["thumbnail"] = f"{context.place.files}{SAMPLES}"
        found["widget"] = [{"text": caption(context), "output": {"url": SAMPLES}}]
    if results := _results(context):
        found[INDEX] = [{"name": spec.name, "results": results}]
    return found


def merge(stated: Metadata, described: Metadata) -> Metadata:
    """Return what a card's header becomes: its author's fields and tags stay beside the config's.

    A licence or data sets that the config does not know are the author's.
    """
    others = {key: value for key, value in stated.items() if key not in (*described, INDEX)}
    merged = described | others
    tags = stated.get("tags")
    if isinstance(tags, list):
        merged["tags"] = list(dict.fromkeys([*described["tags"], *map(str, tags)]))
    return merged


def figures(metadata: Metadata) -> dict[str, Any]:
    """Return the figures that a header states, each by all that says what it is of."""
    found = {}
    for model in _tables(metadata.get(INDEX)):
        for result in _tables(model.get("results")):
            data = result.get("dataset")
            on = [data.get(key) for key in _DATA] if isinstance(data, dict) else []
            for metric in _tables(result.get("metrics")):
                by = [metric.get("type"), metric.get("config")]
                label = " by ".join(str(part) for part in by if part)
                of = " ".join(str(part) for part in on if part)
                found[f"{label} on {of}" if of else label] = metric.get("value")
    return found


def _tables(value: Any) -> list[Metadata]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _results(context: CardContext) -> list[Metadata]:
    """Every metric, by the data that it compares with."""
    data = context.spec.data
    results: dict[str, Metadata] = {}
    for each in context.made.get(METRICS) or []:
        protocol = each["protocol"]
        arguments = dict(protocol["dataset"])
        name = arguments.pop("name")
        of_training = name == context.made["recipe"]["dataset"]["name"]
        dataset = {
            "type": (data.hub if of_training else "") or name,
            "name": (data.origin if of_training else "") or name,
        }
        if "split" in arguments:
            dataset["split"] = str(arguments.pop("split"))
        if arguments:
            dataset["config"] = ", ".join(f"{k} {v}" for k, v in arguments.items())
        result = results.setdefault(
            repr(dataset), {"task": {"type": context.task}, "dataset": dataset, "metrics": []}
        )
        by = protocol.get("extractor", "pair by pair")
        config = (
            f"{by}, {protocol['samples']} samples of seed {protocol['seed']}, {protocol['runtime']}"
        )
        result["metrics"] += [
            {"type": key, "value": value, "name": key.replace("_", " "), "config": config}
            for key, value in each["metrics"].items()
        ]
    return list(results.values())
