"""Ship finished runs: bundles go to a package, cards and figures to model_cards/.

python tools/ship_model.py runs/dcgan-mnist [...] [--into plugins/NAME/PACKAGE/pretrained]
python tools/ship_model.py ganzoo/builtin/pretrained/dcgan-mnist [...]
python tools/ship_model.py ganzoo/builtin/pretrained/*-* --only-cards

Each model is evaluated against its training data, in the folder GANZOO_DATA. A bundle is evaluated
again on the dataset of its last evaluation, and its card is published again; its weights do not
change. With --only-cards there is no evaluation: the cards are updated and published, for example
after an edit of their text.
"""

import shutil
from pathlib import Path

import tyro

import ganzoo
from ganzoo import cards
from ganzoo.spec import METRICS, Component

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "ganzoo" / "builtin" / "pretrained"


def publish(path: Path) -> None:
    """Copy a card and its figures to model_cards/, and adapt the paths of the figures."""
    published = ROOT / "model_cards" / f"{path.name}.md"
    images = f"images/{path.name}/"
    (published.parent / images).mkdir(parents=True, exist_ok=True)
    card = (path / "README.md").read_text()
    for figure in sorted(path.glob("*.png")):
        for before in ("(", ": "):  # in the text, in the header
            card = card.replace(f"{before}{figure.name}", f"{before}{images}{figure.name}")
        shutil.copyfile(figure, published.parent / images / figure.name)
    published.write_text(card)
    print(path, published, sep="\n")


def measured_on(path: Path) -> Component | None:
    """Return the dataset of the last evaluation of a bundle."""
    if not (evaluations := ganzoo.info(path).provenance.get(METRICS)):
        return None
    arguments = dict(evaluations[-1]["protocol"]["dataset"])
    return Component(arguments.pop("name"), arguments)


def main(
    sources: tyro.conf.Positional[tuple[Path, ...]], into: Path = SHIPPED, only_cards: bool = False
) -> None:
    for path in sources:
        if (path / "bundle").is_dir():
            name = ganzoo.info(path / "bundle").name
            path = ganzoo.export(path, into / name, precision="fp16")
        if not only_cards:
            ganzoo.evaluate(path, dataset=measured_on(path))
        cards.write(path)  # the name is registered after the export
        publish(path)


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
