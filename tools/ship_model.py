"""Ship finished runs: bundles into the package, cards and pictures into model_cards/.

python tools/ship_model.py runs/dcgan-mnist [...]
python tools/ship_model.py ganzoo/builtin/pretrained/dcgan-mnist [...]

Each is measured against the data it was trained on: GANZOO_DATA says where that lies. A bundle that
ships already is measured again, and its card is published again; its weights stay as they are.
"""

import shutil
import sys
from pathlib import Path

import ganzoo

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "ganzoo" / "builtin" / "pretrained"


def main(source: Path) -> None:
    path = source
    if source.parent.resolve() != SHIPPED:
        name = ganzoo.info(source / "bundle").name
        path = ganzoo.export(source, SHIPPED / name, precision="fp16")
    ganzoo.evaluate(path)
    publish(path)


def publish(path: Path) -> None:
    name = path.name
    cards = ROOT / "model_cards"
    (cards / "images").mkdir(parents=True, exist_ok=True)
    card = (path / "README.md").read_text()
    for here in (f'"./{name}"', f"evaluate ./{name} "):
        card = card.replace(here, here.replace("./", ""))
    for picture in sorted(path.glob("*.png")):
        published = f"{name}.png" if picture.stem == "samples" else f"{name}-{picture.name}"
        card = card.replace(f"({picture.name})", f"(images/{published})")
        shutil.copyfile(picture, cards / "images" / published)
    (cards / f"{name}.md").write_text(card)
    print(path, cards / f"{name}.md", sep="\n")


if __name__ == "__main__":
    for source in sys.argv[1:]:
        main(Path(source))
