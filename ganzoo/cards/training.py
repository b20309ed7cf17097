"""The training of a model, and the command that repeats it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from typing import Any

from ganzoo.bundle import LOG, RECIPE
from ganzoo.cards.context import HERE, CardContext
from ganzoo.cards.facts import switched_on
from ganzoo.cards.figures import render_curves
from ganzoo.cards.tables import table
from ganzoo.errors import GanzooError, quantity
from ganzoo.registry import COMPONENTS, find_recipe, needs_data
from ganzoo.registry.signatures import arguments_of, as_option, bind
from ganzoo.sampling.corrupt_files import UNREADABLE
from ganzoo.spec import SEEDS, Recipe
from ganzoo.spec.parsing import shorten

_REGISTRIES = {registry.kind: registry for registry in COMPONENTS}


def render(context: CardContext) -> str:
    """Return a table of the training, the command that repeats it, and its curves."""
    provenance = context.provenance
    recipe, data = provenance["recipe"], provenance["data"]
    loss, halflife = dict(recipe["loss"]), recipe["ema_halflife"]
    rows = [
        (
            "data",
            f"{data['origin'] or data['dataset']}: {quantity(data['images'], 'image')}, "
            f"{fingerprint(data['sha256'])}",
        ),
        *describe_images(data),
        *_initial(context),
        ("loss", f"`{loss.pop('name')}` {switched_on(loss)}".strip()),
        ("optimizer", _optimizer(recipe)),
        (
            "length",
            f"{quantity(provenance['images_seen'], 'image')} in batches of "
            f"{_batch_sizes(provenance)}, {provenance['seconds'] / 60:.1f} minutes",
        ),
        *describe_changes(provenance, "`"),
        ("hardware", f"{provenance['hardware']}, precision {recipe['precision']}"),
        ("seed", f"{provenance['seed']}, {_seed_count(provenance)}"),
        (
            "weights",
            (
                f"averaged over training with a half-life of {quantity(halflife, 'image')}"
                if halflife
                else "as trained, not averaged"
            )
            + f"; {describe_weights(provenance)}",
        ),
        ("versions", ", ".join(f"{k} {v}" for k, v in provenance["versions"].items())),
    ]
    curves = f"\n{figure}" if (figure := render_curves(context)) else ""
    return f"{table(rows)}\n{_repetition(context)}{curves}"


def describe_images(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return rows about the image files of a dataset.

    Args:
        data: the entry ``data`` of a model's provenance.
    """
    counts = dict(data.get("image_counts", {}))
    rest = " as far as they were read" if ":" in data.get("sha256", "") else ""  # of a stream
    unreadable = counts.pop(UNREADABLE, 0)
    replaced = (
        f"unreadable{rest}: {unreadable:,}, each replaced by the next image, which counts once more"
    )
    converted = ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items(), key=_by_number))
    rows = {
        "files": "; ".join(filter(None, [data.get("files"), replaced if unreadable else ""])),
        "fit": data.get("fit"),
        "converted": f"{converted}{rest and ','}{rest}" if converted else "",
    }
    return [(key, str(text)) for key, text in rows.items() if text]


def _by_number(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _initial(context: CardContext) -> list[tuple[str, str]]:
    """Return a row for the trained model that the training started from."""
    if not (initial := context.initial):
        return []
    shares = ", ".join(
        f"{numbers:,} of {of:,} parameters of the {role}"
        for role, (_, _, numbers, of) in initial["counts"].items()
        if numbers
    )
    names = " and ".join(each["name"] or each["id"] for each in initial["licenses"])
    known = initial["address"] in ("", initial["model"])
    address = "" if known else f", `{initial['address']}`"
    images = "; licence of the images: not recorded" * context.lacks_image_license
    kind = "" if initial["averaged"] else ", last checkpoint"
    return [
        (
            "initial weights",
            f"those of `{initial['model']}`{address} (weights `{initial['weights_id']}`{kind}): "
            f"{shares}; licence: {names or 'not recorded'}{images}",
        )
    ]


def describe_changes(provenance: Mapping[str, Any], quote: str = "") -> list[tuple[str, str]]:
    """Return a row for each time that the recipe changed when the run was resumed.

    Args:
        provenance: the provenance of a model.
        quote: text before and after the name of a field.
    """
    rows = []
    for line in provenance.get("history", []):
        changes = ", ".join(
            f"{quote}{field}{quote} from {_text(before)} to {_text(after)}"
            for field, (before, after) in line["changes"].items()
        )
        rows.append((f"changed after {quantity(line['images'], 'image')}", changes))
    return rows


def _batch_sizes(provenance: Mapping[str, Any]) -> str:
    """Return the batch size, or those of all parts of a run in which it changed."""
    last = provenance["recipe"]["batch_size"]
    changes = [
        (line["images"], *line["changes"]["batch_size"])
        for line in provenance.get("history", [])
        if "batch_size" in line["changes"]
    ]
    parts = [f"{before} up to {images:,} images" for images, before, _ in changes]
    return ", ".join([*parts, f"then {last}" if parts else f"{last}"])


def _text(value: Any) -> str:
    """Return a value of a recipe as text."""
    match value:
        case bool():
            return "on" if value else "off"
        case list():
            return ", ".join(map(_text, value)) or "none"
        case dict():
            return ", ".join(f"{key} {_text(each)}" for key, each in value.items()) or "none"
        case None | "":
            return "none"
    return shorten(str(value))


def describe_weights(provenance: dict[str, Any]) -> str:
    """Return the moment of the training that the weights come from."""
    if "best" not in provenance:
        return "the final ones, not the best"
    best = provenance["best"]
    extreme = "highest" if "highest" in best else "lowest"
    moment = "checkpoint" if "/" in best[extreme] else "evaluation"
    return f"those of the {moment} with the {extreme} `{best[extreme]}`, {best['value']:.4g}"


def has_several_seeds(provenance: dict[str, Any]) -> bool:
    """Whether the provenance records more than one seed."""
    return SEEDS in provenance and len(provenance[SEEDS]["figures"]) > 1


def _seed_count(provenance: dict[str, Any]) -> str:
    return "one of several, see below" if has_several_seeds(provenance) else "one run"


def fingerprint(data: str) -> str:
    """Return the fingerprint of the data: a digest of all pixels, or of the stream's shards."""
    prefix, _, digest = data.rpartition(":")
    return f"{'fingerprint of the stream' if prefix else 'SHA-256'} `{digest}`"


def _repetition(context: CardContext) -> str:
    """Return the command that repeats the training, and the names of the recipe and log files."""
    files = (
        f"The complete recipe is `{RECIPE}`; the log of the losses is `{LOG}`.\n"
        if {RECIPE, LOG} <= context.digests.keys()
        else "The complete recipe is in `config.json`.\n"
    )
    options = _options(context)
    if options is not None:
        recipe = " ".join([context.place.address, *options])
        download = ""
    elif RECIPE in context.digests:
        folder = f"./{context.spec.name}"
        command = context.place.download(RECIPE, folder)
        recipe, download = (f"{folder}/{RECIPE}", f"{command}\n") if command else (RECIPE, "")
    else:
        return files
    start = ""
    if initial := context.initial:
        address = initial["address"]
        start = f" --init-from {shlex.quote(address) if address else 'MODEL'}"
        if not address:
            origin = f"MODEL is `{initial['model']}` with the weights `{initial['weights_id']}`. "
            files = f"{origin}{files}"
    changed = (
        "The recipe changed during the run, see the table; this command uses the last one from the "
        "start, and the weights can differ.\n\n"
        if context.provenance.get("history")
        else ""
    )
    dataset = context.provenance["recipe"]["dataset"]["name"]
    place = option = ""
    if reads_folder(dataset):
        place, option = "; DIR is the folder of the dataset", " --data DIR"
    repeat = "In this card's folder, repeat" if context.place.address == HERE else "Repeat"
    return (
        f"{repeat} the training{place}:\n\n"
        f"```bash\n{download}ganzoo train {recipe}{start}{option}\n```\n\n{changed}{files}"
    )


def reads_folder(dataset: str) -> bool:
    """Return whether a dataset reads a data folder; True if its plugin is not installed."""
    with contextlib.suppress(GanzooError):
        return needs_data(dataset)
    return True


def _options(context: CardContext) -> list[str] | None:
    """Return the options for the model's registered recipe; None if it has no such recipe."""
    if context.place.address != context.spec.name:
        return None
    with contextlib.suppress(GanzooError):
        trained = Recipe.from_dict(context.provenance["recipe"]).to_dict()
        return _difference(find_recipe(context.spec.name).to_dict(), trained)
    return None


def _difference(registered: dict[str, Any], trained: dict[str, Any]) -> list[str] | None:
    """Return the options that turn the registered recipe into the trained one; None if none do."""
    options: list[str] = []
    for name, value in trained.items():
        if name in ("name", "description"):
            continue
        # A registered recipe may omit defaults; the trained recipe states every argument.
        pairs = [(name, registered[name], value)]
        if name in _REGISTRIES:
            if registered[name]["name"] != value["name"]:
                return None
            before, now = _bind(name, registered[name]), _bind(name, value)
            pairs = [(f"{name}.{key}", before[key], now[key]) for key in before]
        for option, old, new in pairs:
            if _plain(old) != _plain(new):
                if isinstance(new, dict | list | tuple):
                    return None
                options.append(as_option(option, new))
    return options


def _bind(kind: str, component: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments of a component, with today's defaults of those that it omits."""
    name = component["name"]
    arguments = {key: value for key, value in component.items() if key != "name"}
    factory = _REGISTRIES[kind].get(name)
    defaults = {key: argument.default for key, argument in arguments_of(factory).items()}
    return defaults | bind(kind, name, factory, arguments)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _optimizer(recipe: dict[str, Any]) -> str:
    """Return the optimizer and the other settings of the weight updates."""
    o = recipe["optimizer"]
    parts = [o["name"]]
    if o["name"].startswith("adam"):
        rises = f", the second to {o['beta2_to']:g}" if o.get("beta2_to") else ""
        parts.append(f"betas {o['betas']}{rises}")
    parts.append(f"lr {o['lr']:g}")
    if recipe["learning_rates"]:
        rates = recipe["learning_rates"].items()
        parts[-1] += f" except {' and '.join(f'{player} {lr:g}' for player, lr in rates)}"
    if o["warmup"]:
        parts.append(f"warmup over {o['warmup']:,} images")
    if o["decay_start"] < 1:
        parts.append(f"decaying to {o['decay_to']:g} of it after {o['decay_start']:.0%} of the run")
    if o["clip_norm"]:
        parts.append(f"gradient norm clipped to {o['clip_norm']:g}")
    if recipe["initialisation"] != "own":
        parts.append(f"{recipe['initialisation']} initialisation")
    if recipe["spectral_norm"]:
        parts.append("spectral norm")
    if layers := recipe.get("freeze_layers"):
        parts.append(f"first layers of the discriminator frozen: {layers}")
    return ", ".join(parts)
