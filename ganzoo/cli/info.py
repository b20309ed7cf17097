"""Explain a name: a model, a recipe or a component."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from ganzoo.bundle.summary import read_recipe
from ganzoo.cli.arguments import AsJson, Text, helps_of
from ganzoo.cli.listing import Kind, as_dict, describe
from ganzoo.cli.tables import print_items
from ganzoo.errors import GanzooError, UnknownNameError, did_you_mean, enumerate_names
from ganzoo.registry import (
    COMPONENTS,
    DIRECTIONS,
    REGISTRIES,
    Registry,
    architectures,
    losses,
    recipes,
)
from ganzoo.registry.entries import Entry
from ganzoo.registry.names import ZooName, parse_model_name
from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import Metric, ModelSpec, Recipe
from ganzoo.system.terminal import print_json, print_out

# How to use a component, by its kind.
USES = {
    "model": "ganzoo sample {name}",
    "recipe": "ganzoo train {name}",
    "architecture": "ganzoo train RECIPE --architecture {name}",
    "loss": "ganzoo train RECIPE --loss {name}",
    "penalty": "ganzoo train RECIPE --loss.{option} WEIGHT",
    "dataset": "ganzoo train RECIPE --dataset {name}",
    "extractor": "ganzoo evaluate MODEL --extractor {name}",
    "export target": "ganzoo export BUNDLE --for {name}",
    "importer": "ganzoo import FILE --as {name} -o OUT",
    "metric": "ganzoo evaluate MODEL --metrics {name}",
    "monitor": "every training that it fits; --monitors off disables all",
    "sampler": "ganzoo sample MODEL --sampler {name}",
    "tracker": "ganzoo train RECIPE --trackers {name}",
}


def info(name: Text, /, kind: Kind = "all", as_json: AsJson = False) -> None:
    """Explain a model, a recipe or a component, such as a loss.

    A model: its architecture, inputs, data and provenance. Others: the docstring with formula and
    paper, the options with types and defaults, what fits it, and the recipes that use it. A name
    of several kinds shows all of them.

    Args:
        name: registered name, or of a model also ./folder or hf://org/repo.
        kind: show only this kind.
    """
    from ganzoo import zoo

    explained: list[ModelSpec | dict[str, Any]]
    parsed = parse_model_name(name)
    if isinstance(parsed, ZooName):
        entries = _find(name, parsed, kind)
        explained = [_explain(*entry, alone=len(entries) == 1) for entry in entries]
    else:
        explained = [zoo.info(name)]
    if as_json:
        print_json({"name": name, "entries": [_as_json(each) for each in explained]})
        return
    for number, each in enumerate(explained):
        if number:
            print_out()
        if isinstance(each, ModelSpec):
            from ganzoo.cli.model_info import print_model

            print_model(each.name if len(explained) == 1 else f"model {each.name}", each)
        else:
            _print(each)


def _as_json(explained: ModelSpec | dict[str, Any]) -> dict[str, Any]:
    if isinstance(explained, ModelSpec):
        config = json.loads(explained.to_json())
        return {"name": explained.name, "kind": "model", "config": config}
    return explained


def _find(name: str, parsed: ZooName, kind: Kind) -> list[tuple[Registry[Any], Entry]]:
    """Return the registrations of a name.

    Raises:
        UnknownNameError: there is none, and none of a plugin that is not installed.
    """
    chosen = [registry for registry in REGISTRIES if kind in ("all", registry.plural)]
    entries = [
        (registry, entry)
        for registry in chosen
        for entry in registry.entries(parsed.name)
        if parsed.distribution in (None, entry.distribution)
    ]
    if entries:
        return entries
    for registry in chosen:
        try:
            registry.entry(name)
        except UnknownNameError:
            continue
    names = sorted({known for registry in chosen for known in registry.names()})
    hint = did_you_mean(parsed.name, names)
    if Path(parsed.name).exists():
        hint = f" To read the folder of that name, use ./{parsed.name}."
    sort = "model or component" if kind == "all" else chosen[0].kind
    raise UnknownNameError(f"no {sort} is named {name!r}.{hint} 'ganzoo list' shows all names.")


def _explain(registry: Registry[Any], entry: Entry, alone: bool) -> ModelSpec | dict[str, Any]:
    """Return the config of a model, or what JSON and text show of a component or a recipe.

    Raises:
        GanzooError: it cannot be loaded, and it is `alone`; otherwise its trouble is returned.
    """
    from ganzoo import zoo

    description = describe(registry, entry)
    option = entry.name.replace("-", "_")
    document = as_dict(registry, entry) | {
        "text": description.text,
        "formula": description.formula,
        "module": entry.target,
        "use": USES[registry.kind].format(name=entry.name, option=option),
        "recipes": _recipes_of(registry, entry.name),
    }
    try:
        if registry.kind == "model":
            return zoo.info(entry.address)
        return document | _details(registry, entry, registry.load(entry))
    except GanzooError as error:
        if alone:
            raise
        return document | {"trouble": str(error)}


def _details(registry: Registry[Any], entry: Entry, thing: Any) -> dict[str, Any]:
    """Return what the loaded object states: options, and what fits it."""
    if isinstance(thing, Path | Recipe):
        recipe = thing if isinstance(thing, Recipe) else Recipe.from_toml(thing)
        return {"recipe": recipe.to_dict()}
    if isinstance(thing, Metric):
        return {
            "values": [
                {"name": value, "better": better, "unit": thing.unit_of(value)}
                for value, better in thing.better.items()
            ],
            "needs": list(thing.needs),
            "by_default": thing.by_default,
        }
    document: dict[str, Any] = {}
    if registry in (*COMPONENTS,) or registry.kind in ("sampler", "importer"):
        document["options"] = list(_options(registry, thing))
    if registry.kind in ("architecture", "loss", "penalty"):
        document["fits"] = _fits(registry, entry, thing)
    return document


def _options(registry: Registry[Any], thing: Any) -> Iterator[dict[str, Any]]:
    """Yield the options of a component."""
    factory = thing().convert if registry.kind == "importer" else thing
    prefix = f"--{registry.kind}." if registry in COMPONENTS else ""
    prefix = "--" if registry.kind == "importer" else prefix
    helps = helps_of(factory)
    for argument in arguments_of(factory).values():
        required = argument.default is inspect.Parameter.empty
        name = argument.name.replace("_", "-") if prefix else argument.name
        yield {
            "option": f"{prefix}{name}",
            "type": _type(argument.annotation),
            "required": required,
            "default": None if required else argument.default,
            "help": helps.get(argument.name, ""),
        }


def _type(annotation: Any) -> str:
    """Return a type in words: ``float``, ``'none' | 'concat'`` or ``list of int``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return " | ".join(_type(each) for each in arguments if each is not types.NoneType)
    if origin in (tuple, list):
        inner = [_type(each) for each in arguments if each is not ...]
        return f"list of {inner[0]}" if len(set(inner)) == 1 else f"({', '.join(inner)})"
    if origin is dict:
        return f"table of {_type(arguments[1])} by name"
    return str(getattr(annotation, "__name__", annotation)).replace("str", "text")


def _fits(registry: Registry[Any], entry: Entry, thing: Any) -> dict[str, list[str]]:
    """Return the names of components that fit an architecture, a loss or a penalty, by kind."""
    from ganzoo.games.factory import AdversarialLossFactory
    from ganzoo.games.registered_penalties import as_argument, penalty_options
    from ganzoo.training.build import combinations

    if registry.kind == "penalty":
        adversarial = [
            name
            for name in losses.names()
            if isinstance(factory := _get(losses, name), AdversarialLossFactory)
            and as_argument(entry.name) in arguments_of(factory)
        ]
        return {"losses": adversarial}
    if registry.kind == "architecture":
        games = {name: game for name in losses.names() if (game := _make(name)) is not None}
        fitting = combinations([entry.address], games)
        return {"losses": sorted(_with(loss, option) for _, option, loss in fitting)}
    game = _make(entry.address)
    fitting = combinations(architectures.names(), {} if game is None else {entry.name: game})
    fits = {"architectures": [_with(name, option) for name, option, _ in fitting]}
    if isinstance(thing, AdversarialLossFactory):
        fits["penalties"] = sorted(penalty_options(()).values())
    return fits


def _with(name: str, option: str) -> str:
    return f"{name} with {option}" if option else name


def _get(registry: Registry[Any], name: str) -> Any:
    """Return a registered object; None if it cannot be loaded."""
    try:
        return registry.get(name)
    except GanzooError:
        return None


def _make(loss: str) -> Any:
    """Return a loss with its default arguments; None if it needs others or cannot be built."""
    from ganzoo.games import Loss

    try:
        game = losses.make(loss)
    except GanzooError:
        return None
    return game if isinstance(game, Loss) else None


def _recipes_of(registry: Registry[Any], name: str) -> list[str]:
    """Return the names of recipes whose files name a component."""
    uses: dict[str, Callable[[dict[str, Any]], Any]] = {
        "extractor": lambda recipe: recipe.get("evaluate_with") == name,
        "metric": lambda recipe: name in recipe.get("evaluate_metrics", ()),
        "penalty": lambda recipe: _table(recipe, "loss").get(name.replace("-", "_")),
    }
    uses |= dict.fromkeys(
        ("architecture", "loss", "dataset"),
        lambda recipe: _table(recipe, registry.kind).get("name") == name,
    )
    if (use := uses.get(registry.kind)) is None:
        return []
    return sorted({entry.name for entry in recipes.entries() if use(read_recipe(entry))})


def _table(recipe: dict[str, Any], part: str) -> dict[str, Any]:
    component = recipe.get(part, {})
    return component if isinstance(component, dict) else {"name": component}


def _print(document: dict[str, Any]) -> None:
    """Print a component or a recipe."""
    provider = " ".join(filter(None, (document["package"], document["version"])))
    print_out(f"{document['kind']} {document['name']}  ({provider or 'this process'})")
    for paragraph in filter(None, document["text"].split("\n\n")):
        print_out()
        if paragraph.startswith(" "):
            print_out(paragraph)
        else:
            print_items([("", [paragraph])])
    print_out()
    print_items([(key, [value]) for key, value in _rows(document) if value])
    if options := document.get("options"):
        print_out("\noptions")
        print_items([(each["option"], [_default(each), each["help"]]) for each in options])


def _default(option: dict[str, Any]) -> str:
    value = option["default"]
    if isinstance(value, tuple | list):
        value = " ".join(map(str, value)) or "none"
    default = "required" if option["required"] else f"default {'none' if value is None else value}"
    return f"{option['type']}, {default}"


def _rows(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "paper", ", ".join(filter(None, document.get("paper", {}).values()))
    yield "use", document["use"]
    for kind, names in document.get("fits", {}).items():
        yield f"fits {kind}", enumerate_names(names) if names else "none with its default arguments"
    if recipe := document.get("recipe"):
        for part in ("architecture", "loss", "dataset"):
            yield part, recipe[part]["name"]
        yield "images", f"{recipe['images']:,}, in batches of {recipe['batch_size']:,}"
        yield "options", f"ganzoo train {document['name']} --help"
    for value in document.get("values", ()):
        yield value["name"], ", ".join(filter(None, (value["unit"], DIRECTIONS[value["better"]])))
    if "needs" in document:
        yield "needs", ", ".join(document["needs"]) or "the pixels alone"
        yield "by default", "yes" if document["by_default"] else "no, only if it is named"
    yield "recipes", ", ".join(document["recipes"])
    yield "module", document["module"]
    yield "trouble", document["trouble"]
