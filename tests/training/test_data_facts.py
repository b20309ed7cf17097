"""A model records how the image files of its dataset were read."""

import warnings

from PIL import Image

from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.preparation import plan
from helpers.datasets import pictures
from helpers.recipes import tiny


def test_the_provenance_states_files_fit_and_corrupt_images(tmp_path):
    root = pictures(tmp_path, [f"{k}.png" for k in range(4)], size=(24, 16))
    (root / "2.png").write_text("no image")
    pictures(root, ["alpha.png", "opaque.png"], size=(16, 40), mode="RGBA")
    with Image.open(root / "alpha.png") as image:
        image.putalpha(100)
        image.save(root / "alpha.png")
    arguments = {"size": 16, "fit": "pad", "background": "black", "flip": True}
    dataset = Component("folder", arguments | {"skip_corrupt": True, "channels": 1})
    with warnings.catch_warnings(record=True, action="always") as record:
        prepared = prepare(tiny(dataset=dataset), data=root, device="cpu")
    assert sum("2.png" in str(w.message) for w in record) == 1
    data = prepared.spec().recorded("data")
    assert data["files"] == prepared.batches.file_counts
    assert "each also flipped" in data["files"]
    assert data["fit"] == "pad to 16x16 (height x width) with black"
    assert data["image_counts"] == {
        "unreadable": 1,
        "colour to grey": 5,
        "transparent on black": 1,
        "padded by half or more": 2,
    }
    files, fit, converted = plan(prepared).splitlines()[2:5]
    assert files.endswith(
        "skipped: none; unreadable: 1, each replaced by the next image, which counts once more"
    )
    assert fit.startswith("  fit ")
    assert converted == (
        "  converted   5 colour to grey, 2 padded by half or more, 1 transparent on black"
    )


def test_a_dataset_without_files_records_no_such_facts():
    data = prepare(tiny(), device="cpu").spec().recorded("data")
    assert not {"files", "fit", "image_counts"} & data.keys()
