"""How near a dataset's own test images are to its training images.

python tools/measure_floor.py DIR [mnist|fashion-mnist]

The Frechet distance by the features of the dataset's own extractor: less cannot be asked of as many
samples as there are test images.
"""

import sys
from pathlib import Path

from ganzoo.data import decode, find_dataset
from ganzoo.evaluation.distances import frechet_distance
from ganzoo.evaluation.extraction import extract, make_extractor


def main(root: Path, dataset: str = "mnist") -> None:
    sets = [find_dataset(dataset, {"split": split}, root) for split in ("train", "test")]
    extractor = make_extractor(sets[0][1].extractor)
    train, test = (extract(extractor, decode(*each).images).features for each in sets)
    print(f"{frechet_distance(train, test):.4g}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
