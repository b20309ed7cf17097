"""Ship finished runs: bundles into a package, cards and pictures into model_cards/.

python tools/ship_model.py runs/dcgan-mnist [...] [--into plugins/NAME/PACKAGE/pretrained]
python tools/ship_model.py ganzoo/builtin/pretrained/dcgan-mnist [...]
python tools/ship_model.py ganzoo/builtin/pretrained/*-* --only-cards

Each is measured against the data it was trained on: GANZOO_DATA says where that lies. A bundle that
ships already is measured again, on what it was measured on, and its card is published again; its
weights stay as they are. With --only-cards nothing is measured: cards are renewed and published, as
after an edit of their prose.
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
    """Copy a card and its pictures, to whose paths alone their folder is added."""
    published = ROOT / "model_cards" / f"{path.name}.md"
    images = f"images/{path.name}/"
    (published.parent / images).mkdir(parents=True, exist_ok=True)
    card = (path / "README.md").read_text()
    for picture in sorted(path.glob("*.png")):
        for before in ("(", ": "):  # in the text, in the header
            card = card.replace(f"{before}{picture.name}", f"{before}{images}{picture.name}")
        shutil.copyfile(picture, published.parent / images / picture.name)
    published.write_text(card)
    print(path, published, sep="\n")


def measured_on(path: Path) -> Component | None:
    """The dataset that a bundle was last measured on."""
    if not (found := ganzoo.info(path).provenance.get(METRICS)):
        return None
    arguments = dict(found[-1]["protocol"]["dataset"])
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
        cards.write(path)  # its name is registered by now
        publish(path)


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
