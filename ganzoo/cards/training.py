"""How a model was trained, and the command that does it again."""

from __future__ import annotations

import contextlib
from typing import Any

from ganzoo.bundle import LOG, RECIPE
from ganzoo.cards.context import CardContext
from ganzoo.cards.facts import switched_on
from ganzoo.cards.figures import render_curves
from ganzoo.cards.tables import table
from ganzoo.errors import GanzooError
from ganzoo.registry import find_recipe
from ganzoo.spec import SEEDS, Recipe

COMPONENTS = ("architecture", "loss", "dataset")


def render(context: CardContext) -> str:
    """Return a table of the training, its command and its curves."""
    made = context.made
    recipe, data = made["recipe"], made["data"]
    loss, halflife = dict(recipe["loss"]), recipe["ema_halflife"]
    rows = [
        (
            "data",
            f"{data['origin'] or data['dataset']}: {data['images']:,} images, "
            f"{fingerprint(data['sha256'])}",
        ),
        ("loss", f"`{loss.pop('name')}` {switched_on(loss)}".strip()),
        ("optimizer", _optimizer(recipe)),
        (
            "length",
            f"{made['images_seen']:,} images in batches of {recipe['batch_size']}, "
            f"{made['seconds'] / 60:.1f} minutes",
        ),
        ("hardware", f"{made['hardware']}, precision {recipe['precision']}"),
        ("seed", f"{made['seed']}, {'one of several, below' if has_several(made) else 'one run'}"),
        (
            "weights",
            (
                f"averaged over training, half-life {halflife:,} images"
                if halflife
                else "as trained, not averaged"
            )
            + f"; {which(made)}",
        ),
        ("versions", ", ".join(f"{k} {v}" for k, v in made["versions"].items())),
    ]
    curves = f"\n{picture}" if (picture := render_curves(context)) else ""
    return f"{table(rows)}\n{_again(context)}{curves}"


def which(made: dict[str, Any]) -> str:
    """Say of which moment of the training the weights are."""
    if "best" not in made:
        return "the final ones, not the best"
    best = made["best"]
    extreme = "highest" if "highest" in best else "lowest"
    moments = "checkpoints" if "/" in best[extreme] else "evaluations"
    return (
        f"those at which, of all {moments}, `{best[extreme]}` was {extreme} in training, "
        f"{best['value']:.4g}"
    )


def has_several(made: dict[str, Any]) -> bool:
    """Whether more seeds than one are recorded."""
    return SEEDS in made and len(made[SEEDS]["figures"]) > 1


def fingerprint(data: str) -> str:
    """Say what is known of the data: a digest of all pixels, or of less where it was streamed."""
    what, _, digest = data.rpartition(":")
    return f"{'fingerprint of the stream' if what else 'SHA-256'} `{digest}`"


def _again(context: CardContext) -> str:
    """The command that trains it again, and where its recipe and its log lie."""
    where = (
        f"The whole recipe is `{RECIPE}`, the log of the losses `{LOG}`.\n"
        if {RECIPE, LOG} <= context.digests.keys()
        else "The whole recipe is in `config.json`.\n"
    )
    options = _options(context)
    if options is not None:
        asked = " ".join([context.place.address, *options])
        fetched = ""
    elif RECIPE in context.digests:
        folder = f"./{context.spec.name}"
        asked = f"{folder}/{RECIPE}"
        fetch = context.place.download(RECIPE, folder)
        fetched = f"{fetch}\n" if fetch else ""
    else:
        return where
    return (
        "Train it again; DIR is the folder that holds the data:\n\n"
        f"```bash\n{fetched}ganzoo train {asked} --data DIR\n```\n\n{where}"
    )


def _options(context: CardContext) -> list[str] | None:
    """What the registered recipe of a registered model takes; None where there is none such."""
    if context.place.address != context.spec.name:
        return None
    with contextlib.suppress(GanzooError):
        trained = Recipe.from_dict(context.made["recipe"]).to_dict()
        return _difference(find_recipe(context.spec.name).to_dict(), trained)
    return None


def _difference(stated: dict[str, Any], trained: dict[str, Any]) -> list[str] | None:
    """Options by which the stated recipe becomes the trained one, None where none do."""
    options = []
    for name, value in trained.items():
        if name in COMPONENTS:
            # What a recipe leaves to its component's defaults is stated by what was trained.
            if any(_plain(value.get(k)) != _plain(v) for k, v in stated[name].items()):
                return None
        elif name not in ("name", "description") and _plain(value) != _plain(stated[name]):
            if isinstance(value, bool | dict | list | tuple):
                return None
            options.append(f"--{name.replace('_', '-')} {value}")
    return options


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _optimizer(recipe: dict[str, Any]) -> str:
    """The optimizer, and what else decides how weights move."""
    o = recipe["optimizer"]
    parts = [o["name"]]
    if o["name"].startswith("adam"):
        parts.append(f"betas {o['betas']}")
    parts.append(f"lr {o['lr']:g}")
    if recipe["learning_rates"]:
        rates = recipe["learning_rates"].items()
        parts[-1] += f" but for {' and '.join(f'{player} {lr:g}' for player, lr in rates)}"
    if o["warmup"]:
        parts.append(f"rising over the first {o['warmup']:,} images")
    if o["decay_start"] < 1:
        parts.append(f"falling to {o['decay_to']:g} of it from {o['decay_start']:.0%} on")
    if o["clip_norm"]:
        parts.append(f"gradients clipped to norm {o['clip_norm']:g}")
    if recipe["initialisation"] != "own":
        parts.append(f"{recipe['initialisation']} initialisation")
    if recipe["spectral_norm"]:
        parts.append("spectral norm")
    return ", ".join(parts)
