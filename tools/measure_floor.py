"""How near MNIST's own test images are to its training images: python tools/measure_floor.py DIR

The Frechet distance by the features of lenet-mnist@1: less cannot be asked of 10,000 samples.
"""

import sys
from pathlib import Path

from ganzoo.data import decode, find_dataset
from ganzoo.evaluation.distances import frechet_distance
from ganzoo.evaluation.extraction import extract, make_extractor


def main(root: Path) -> None:
    extractor = make_extractor("lenet-mnist@1")
    splits = (find_dataset("mnist", {"split": split}, root) for split in ("train", "test"))
    train, test = (extract(extractor, decode(*split).images).features for split in splits)
    print(f"{frechet_distance(train, test):.4g}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
