"""A new card: what is true of every such model is written, what its author alone knows is TODO."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import fence
from ganzoo.cards.references import find_references

# The sections of a card and what stands in them: prose, or the block of that name in braces.
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
## Pictures

{pictures}
## Model

{facts}
## Training

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
    """Return a new card's prose, and the blocks of those names as yet empty."""
    described = context.made["recipe"]["description"]
    blocks = {name: fence(name, "") for name in names}
    return _LAYOUT.format(
        name=context.spec.name,
        description=described or f"A model of the architecture {_architecture(context)}.",
        what=_what(context),
        limits=_limits(context),
        failure="TODO: look at many samples and say what the bad ones look like, and how many are.",
        licence=_licence(context),
        citation=_citation(context),
        **blocks,
    )


def _architecture(context: CardContext) -> str:
    return f"`{context.spec.architecture}`"


def _what(context: CardContext) -> str:
    spec = context.spec
    if "condition" in spec.inputs:
        kind, does = "A translator of images", "makes an image out of another"
    elif context.is_autoencoder:
        kind, does = "An autoencoder", "finds latents of images and makes images of latents"
    else:
        kind, does = "A generative adversarial network", "makes images out of random latents"
    asked = ", of the class that is asked for" if "y" in spec.inputs else ""
    return (
        f"{kind}: networks of {_architecture(context)}, trained with the loss "
        f"`{context.made['recipe']['loss']['name']}` on {_origin(context)}. It {does}{asked}.\n\n"
        "TODO: say what it is meant for."
    )


def _limits(context: CardContext) -> str:
    size = context.spec.data.image
    return (
        f"It makes images of {size} (height x width x channels) like those it was trained on, and "
        "no others; not every one is good. It comes from a single training: another seed gives "
        "another model, and figures that differ from these."
    )


def _licence(context: CardContext) -> str:
    licence = context.made["data"]["license"]
    return f"It was trained on {_origin(context)}. " + (
        f"The data is under {licence}, and the weights carry that licence."
        if licence
        else "TODO: the data states no licence: ask its owner and say what it allows; state it as "
        "`license:` in the header too."
    )


def _citation(context: CardContext) -> str:
    cited = "".join(f"- {reference}\n" for reference in find_references(context.spec)).rstrip()
    return cited or "TODO: say which papers its architecture, loss and data come from."


def _origin(context: CardContext) -> str:
    data = context.made["data"]
    return str(data["origin"] or f"the dataset `{data['dataset']}`")
