"""Measure the Fréchet distance between the test and training images of a dataset.

python tools/measure_floor.py DIR [mnist|fashion-mnist]

It uses the extractor of the dataset. The distance is a reference value for a generator that is
measured with as many samples.
"""

import sys
from pathlib import Path

from ganzoo.data import decode, find_dataset
from ganzoo.evaluation.distances import frechet_distance
from ganzoo.evaluation.extraction import extract, make_extractor


def main(root: Path, dataset: str = "mnist") -> None:
    sets = [find_dataset(dataset, {"split": split}, root) for split in ("train", "test")]
    extractor = make_extractor(sets[0][1].extractor)
    train, test = (extract(extractor, decode(*parts).images).features for parts in sets)
    print(f"{frechet_distance(train, test):.4g}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
