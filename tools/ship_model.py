"""Ship a finished run: its bundle into the package, its card and samples into model_cards/.

python tools/ship_model.py runs/dcgan-mnist
"""

import shutil
import sys
from pathlib import Path

import ganzoo

ROOT = Path(__file__).parent.parent


def main(run: str) -> None:
    name = ganzoo.info(Path(run) / "bundle").name
    path = ganzoo.export(run, ROOT / "ganzoo" / "builtin" / "pretrained" / name)
    cards = ROOT / "model_cards"
    (cards / "images").mkdir(parents=True, exist_ok=True)
    card = (path / "README.md").read_text().replace("(samples.png)", f"(images/{name}.png)")
    card = card.replace(f'load("./{name}")', f'load("{name}")')
    (cards / f"{name}.md").write_text(card)
    shutil.copyfile(path / "samples.png", cards / "images" / f"{name}.png")
    print(path, cards / f"{name}.md", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
