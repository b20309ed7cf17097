"""Ship finished runs: bundles into the package, cards and pictures into model_cards/.

python tools/ship_model.py runs/dcgan-mnist [...]
python tools/ship_model.py ganzoo/builtin/pretrained/dcgan-mnist [...]
python tools/ship_model.py --cards ganzoo/builtin/pretrained/*-mnist

Each is measured against the data it was trained on: GANZOO_DATA says where that lies. A bundle that
ships already is measured again, and its card is published again; its weights stay as they are. With
--cards nothing is measured: cards are renewed and published, as after an edit of their prose.
"""

import shutil
import sys
from pathlib import Path

import ganzoo
from ganzoo import cards

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "ganzoo" / "builtin" / "pretrained"


def main(source: Path) -> None:
    path = source
    if source.parent.resolve() != SHIPPED:
        name = ganzoo.info(source / "bundle").name
        path = ganzoo.export(source, SHIPPED / name, precision="fp16")
    ganzoo.evaluate(path)
    cards.write(path)  # its name is registered by now
    publish(path)


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


if __name__ == "__main__":
    only_cards = "--cards" in sys.argv
    for source in map(Path, [each for each in sys.argv[1:] if each != "--cards"]):
        if only_cards:
            cards.write(source)
            publish(source)
        else:
            main(source)
