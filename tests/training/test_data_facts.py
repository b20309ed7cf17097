"""A model records how the image files of its dataset were read."""

import warnings

from ganzoo.spec import Component
from ganzoo.training import prepare
from helpers.datasets import pictures
from helpers.recipes import tiny


def test_the_provenance_states_files_fit_and_corrupt_images(tmp_path):
    root = pictures(tmp_path, [f"{k}.png" for k in range(4)], size=(24, 16))
    (root / "2.png").write_text("no image")
    arguments = {"size": 16, "fit": "pad", "background": "black", "flip": True}
    dataset = Component("folder", arguments | {"skip_corrupt": True, "channels": 1})
    with warnings.catch_warnings(record=True, action="always") as record:
        prepared = prepare(tiny(dataset=dataset), data=root, device="cpu")
    assert sum("2.png" in str(w.message) for w in record) == 1
    data = prepared.spec().recorded("data")
    assert data["files"] == prepared.batches.file_counts
    assert "each also flipped" in data["files"]
    assert data["fit"] == "pad to 16x16 (height x width) with black"
    assert data["replaced"] == 1


def test_a_dataset_without_files_records_no_such_facts():
    data = prepare(tiny(), device="cpu").spec().recorded("data")
    assert not {"files", "fit", "replaced"} & data.keys()
