"""A new card: what is true of every such model is written, what its author alone knows is TODO."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo.cards.fences import fence
from ganzoo.cards.references import find_references
from ganzoo.cards.subject import Subject

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


def draft(subject: Subject, names: Iterable[str]) -> str:
    """Return a new card's prose, and the blocks of those names as yet empty."""
    described = subject.made["recipe"]["description"]
    blocks = {name: fence(name, "") for name in names}
    return _LAYOUT.format(
        name=subject.spec.name,
        description=described or f"A model of the architecture {_architecture(subject)}.",
        what=_what(subject),
        limits=_limits(subject),
        failure="TODO: look at many samples and say what the bad ones look like, and how many are.",
        licence=_licence(subject),
        citation=_citation(subject),
        **blocks,
    )


def _architecture(subject: Subject) -> str:
    return f"`{subject.spec.architecture}`"


def _what(subject: Subject) -> str:
    spec = subject.spec
    if "source" in spec.inputs:
        kind, does = "A translator of images", "makes an image out of another"
    elif subject.is_autoencoder:
        kind, does = "An autoencoder", "finds latents of images and makes images of latents"
    else:
        kind, does = "A generative adversarial network", "makes images out of random latents"
    asked = ", of the class that is asked for" if "y" in spec.inputs else ""
    return (
        f"{kind}: networks of {_architecture(subject)}, trained with the loss "
        f"`{subject.made['recipe']['loss']['name']}` on {_source(subject)}. It {does}{asked}.\n\n"
        "TODO: say what it is meant for."
    )


def _limits(subject: Subject) -> str:
    size = subject.spec.data.image
    return (
        f"It makes images of {size} (height x width x channels) like those it was trained on, and "
        "no others; not every one is good. It comes from a single training: another seed gives "
        "another model, and figures that differ from these."
    )


def _licence(subject: Subject) -> str:
    licence = subject.made["data"]["license"]
    return f"It was trained on {_source(subject)}. " + (
        f"The data is under {licence}, and the weights carry that licence."
        if licence
        else "TODO: the data states no licence: ask its owner and say what it allows; state it as "
        "`license:` in the header too."
    )


def _citation(subject: Subject) -> str:
    cited = "".join(f"- {reference}\n" for reference in find_references(subject.spec)).rstrip()
    return cited or "TODO: say which papers its architecture, loss and data come from."


def _source(subject: Subject) -> str:
    data = subject.made["data"]
    return str(data["source"] or f"the dataset `{data['dataset']}`")
