"""The prose of a new card: text for every model, and TODOs that only the author can complete."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import fence
from ganzoo.cards.references import find_references
from ganzoo.cards.tables import plain

# The sections of a card. A name in braces is a prose section or a generated block.
_LAYOUT = """\
# {name}

{description}

{samples}
## What it is and what it is for

{what}

## Use

{use}
### With onnxruntime alone

{onnxruntime}
## Figures

{figures}
## Model

{facts}
## {origin}

{training}
## Results

{results}
## Limits

{limits}

## What failure looks like

{failure}

## Data and licence

{licence}

## Citation

{citation}

## Files

{checksums}"""


def draft(context: CardContext, names: Iterable[str]) -> str:
    """Return the prose of a new card, with empty blocks of the given names."""
    description = plain(str(context.description or ""))
    blocks = {name: fence(name, "") for name in names}
    return _LAYOUT.format(
        name=context.spec.name,
        description=description or f"A model with the architecture {_architecture(context)}.",
        origin="Where it comes from" if context.imported else "Training",
        what=plain(_what(context)),
        limits=_limits(context),
        failure="TODO: inspect many samples. Describe the bad ones and how frequent they are.",
        licence=plain(_licence(context)),
        citation=_citation(context),
        **blocks,
    )


def _architecture(context: CardContext) -> str:
    return f"`{context.spec.architecture}`"


def _what(context: CardContext) -> str:
    spec = context.spec
    if "condition" in spec.inputs:
        kind, action = "An image translation model", "translates images"
    elif context.is_autoencoder:
        kind, action = "An autoencoder", "encodes images as latents and decodes latents to images"
    else:
        kind, action = "A generative adversarial network", "generates images from random latents"
    labels = " and class labels" if "y" in spec.inputs else ""
    if context.imported:
        trained = f"imported from {_program(context)}"
    else:
        trained = f"trained with the loss `{context.loss}` on {_origin(context)}"
    return (
        f"{kind} with the architecture {_architecture(context)}, {trained}. It {action}{labels}."
        "\n\nTODO: state the intended use."
    )


def _limits(context: CardContext) -> str:
    size = context.spec.data.image
    if context.imported:
        return (
            f"The model generates only images of {size} (height x width x channels), and not every "
            "image is good.\n\nTODO: state the data that it was trained on, and what it lacks."
        )
    return (
        f"The model generates only images of {size} (height x width x channels) that resemble its "
        "training data, and not every image is good. It results from a single training run: "
        "another seed gives another model with other metrics."
    )


def _licence(context: CardContext) -> str:
    if context.imported:
        return _imported_licence(context)
    licence = context.provenance["data"]["license"]
    origin = f"The model was trained on {_origin(context)}. "
    if context.initial:
        return origin + _inherited_licence(context, licence)
    return origin + (
        f"The licence of the data is {licence}. The weights have the same licence."
        if licence
        else "TODO: the dataset states no licence. Ask its owner, describe the licence, and "
        "set `license:` in the header."
    )


def _inherited_licence(context: CardContext, licence: str | None) -> str:
    """Return the licences of a model that started from the weights of another one."""
    initial = context.initial
    theirs = [
        f"[{each['name'] or each['id']}]({each['link']})"
        if each["link"]
        else each["name"] or each["id"]
        for each in initial["licenses"]
    ]
    start = f"The training started from the weights of {initial['model']}, "
    start += (
        f"whose licence is {' and '.join(theirs)}, which holds for these weights too."
        if theirs
        else "which records no licence. TODO: if it is yours, state the licence of the images that "
        "it was trained on; otherwise ask its author. Set `license:` in the header, for example "
        "`license: cc-by-4.0`."
    )
    data = (
        f"The licence of the data is {licence}."
        if licence
        else "TODO: the licence of the images is unknown. Ask their owner, describe it, and add it "
        "to `license:` in the header."
    )
    return f"{start} {data}"


def _imported_licence(context: CardContext) -> str:
    origin = f"The weights come from {_program(context)}."
    if not (licence := context.imported["license"]):
        return f"{origin} TODO: state the licence of the weights, and set `license:` in the header."
    name = licence["name"] or licence["id"]
    text = f"[{name}]({licence['link']})" if licence["link"] else name
    return f"{origin} Their licence is {text}. TODO: state the data that they were trained on."


def _program(context: CardContext) -> str:
    return f"a checkpoint of {context.imported['project']}"


def _citation(context: CardContext) -> str:
    references = "".join(f"- {reference}\n" for reference in find_references(context.spec)).rstrip()
    return references or "TODO: cite the papers of the architecture, the loss and the data."


def _origin(context: CardContext) -> str:
    data = context.provenance["data"]
    return str(data["origin"] or f"the dataset `{data['dataset']}`")
