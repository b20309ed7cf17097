"""Ship finished runs: bundles into the package, cards and pictures into model_cards/.

python tools/ship_model.py runs/dcgan-mnist [...]

Each is measured against the data it was trained on: GANZOO_DATA says where that lies.
"""

import shutil
import sys
from pathlib import Path

import ganzoo

ROOT = Path(__file__).parent.parent


def main(run: str) -> None:
    name = ganzoo.info(Path(run) / "bundle").name
    path = ganzoo.export(run, ROOT / "ganzoo" / "builtin" / "pretrained" / name, half=True)
    ganzoo.evaluate(path)
    cards = ROOT / "model_cards"
    (cards / "images").mkdir(parents=True, exist_ok=True)
    card = (path / "README.md").read_text().replace(f'"./{name}"', f'"{name}"')
    for picture in sorted(path.glob("*.png")):
        published = f"{name}.png" if picture.stem == "samples" else f"{name}-{picture.name}"
        card = card.replace(f"({picture.name})", f"(images/{published})")
        shutil.copyfile(picture, cards / "images" / published)
    (cards / f"{name}.md").write_text(card)
    print(path, cards / f"{name}.md", sep="\n")


if __name__ == "__main__":
    for run in sys.argv[1:]:
        main(run)
