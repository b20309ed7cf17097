"""`ganzoo translate` on files and folders."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.cli import main
from ganzoo.spec import SizesSpec
from helpers.translators import LocalTranslator, spec_of


@pytest.fixture
def load(monkeypatch):
    """Return a function that makes a model of every name: it inverts images."""

    def load(multiple: int | None = 8, **dataset) -> LocalTranslator:
        sizes = SizesSpec(multiple) if multiple else None
        spec = spec_of(sizes, channels=3)
        if dataset:
            spec = replace(spec, provenance={"recipe": {"dataset": {"name": "paired", **dataset}}})
        model = LocalTranslator(torch.neg, spec)
        monkeypatch.setattr("ganzoo.zoo.load", lambda *_, **__: model)
        return model

    return load


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of three images of other sizes, in a sub-folder and of another format, too."""
    monkeypatch.chdir(tmp_path)
    for k, (name, width, height) in enumerate(
        [("a.bmp", 20, 30), ("b.png", 16, 16), ("trip/c.png", 41, 17)]
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height), (10 * k, 100, 200)).save(path)
    return tmp_path / "photos"


def written(folder) -> dict:
    files = (file for file in sorted(folder.rglob("*")) if file.suffix == ".png")
    return {file.relative_to(folder).as_posix(): Image.open(file).size for file in files}


def test_a_folder_becomes_a_folder_of_the_same_names_and_sizes(load, photos, capsys):
    load()
    (photos / "notes.txt").write_text("no image")
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    sizes = {"a.png": (20, 30), "b.png": (16, 16), "trip/c.png": (41, 17)}
    assert written(photos.parent / "out") == sizes
    assert (np.asarray(Image.open("out/trip/c.png")) == (235, 155, 55)).all()
    output = capsys.readouterr().out
    assert output.startswith("out: 3 images translated, ")
    assert output.count("\n") == 1


def test_repeating_the_command_continues(load, photos, capsys):
    def interrupt(condition):
        if len(model.shapes) == 2:
            raise KeyboardInterrupt
        return -condition

    model = load()
    model.function = interrupt
    assert main(["translate", "n", "photos", "-o", "out"]) == 130
    assert written(photos.parent / "out") == {"a.png": (20, 30)}, "only complete files"
    assert "every image in out is complete. Repeat the command" in capsys.readouterr().err
    Image.new("RGB", (3, 3)).save("out/a.png")
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    assert "out: 2 images translated" in (text := capsys.readouterr().out)
    assert text.endswith("; 1 image already existed\n")
    assert Image.open("out/a.png").size == (3, 3), "existing files are kept"
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    assert capsys.readouterr().out == "out: 3 images already existed\n"


def test_outputs_of_another_model_or_of_other_settings_are_refused(load, photos, capsys):
    model = load()
    command = ["translate", "n", "photos", "-o", "out"]
    assert main(command) == 0
    (photos / "b.png").rename(photos / "d.png")
    assert main([*command, "--tile", "32"]) == 1
    says = "out contains images of other settings: its translation.json says tile None, not 32."
    assert says in capsys.readouterr().err
    model.spec = replace(model.spec, provenance={"seed": 1})
    assert main(command) == 1
    assert "translation.json says config_sha256" in capsys.readouterr().err
    assert sorted(written(photos.parent / "out")) == ["a.png", "b.png", "trip/c.png"]
    (photos.parent / "out" / "translation.json").write_text("[]")
    assert main(command) == 1
    assert "out contains images of other settings: it has no translation.json" in (
        capsys.readouterr().err
    )
    assert main([*command[:-1], "new"]) == 0


def test_an_image_that_fits_into_a_padded_tile_is_not_tiled(load, photos, capsys):
    model = load()
    Image.new("RGB", (47, 17)).save(photos / "wide.png")
    assert main(["translate", "n", "photos", "-o", "out", "--tile", "41", "--overlap", "8"]) == 0
    assert (1, 3, 24, 48) in model.shapes, "a tile of 48 pixels, a multiple of 8"
    assert "in tiles" not in capsys.readouterr().out


def test_files_that_cannot_be_read_are_counted(load, photos, capsys):
    load()
    for k in range(7):
        (photos / f"broken{k}.png").write_text("no image")
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    text = capsys.readouterr()
    assert (
        text.err.count("it is not an image of a kind that Pillow reads. Repair it or remove it.")
        == 5
    )
    assert "out: 3 images translated" in text.out
    assert text.out.endswith("; 7 images cannot be read\n")
    for file in ("a.bmp", "b.png", "trip/c.png"):
        (photos / file).unlink()
    assert main(["translate", "n", "photos", "-o", "other"]) == 1
    assert "error: cannot read any of 7 image files" in capsys.readouterr().err


def test_a_model_of_one_size_says_how_many_images_it_resizes(load, photos, capsys):
    model = load(None)
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    assert set(written(photos.parent / "out").values()) == {(16, 16)}
    assert model.shapes == [(1, 3, 16, 16)] * 3
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  resized and cropped at the centre: 2 images, to 16x16 pixels, the only size that local reads"
    ]


def test_images_are_fitted_as_in_the_training_or_as_told(load, photos, capsys):
    load(None, fit="pad", background="black")
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    assert "  resized and padded: 2 images, to 16x16 pixels, the only" in capsys.readouterr().out
    padded = np.asarray(Image.open("out/trip/c.png"))  # 41x17 becomes 16x7, on black
    assert (padded[:4] == 255).all()
    assert (padded[6:10] == (235, 155, 55)).all()
    command = ["translate", "n", "photos", "-o"]
    assert main([*command, "out", "--fit", "stretch"]) == 1
    assert "translation.json says fit pad, not stretch" in capsys.readouterr().err
    assert main([*command, "whole", "--fit", "stretch"]) == 0
    assert (np.asarray(Image.open("whole/trip/c.png")) == (235, 155, 55)).all()
    assert "  stretched: 2 images" in capsys.readouterr().out
    assert main([*command, "g.png", "--grid"]) == 0
    assert (np.asarray(Image.open("g.png"))[::4, ::4][2:6, -17:-2] == 0).all()
    load(None, fit="no fit", background=[])
    assert main([*command, "cropped"]) == 0
    assert "  resized and cropped at the centre: 2 images" in capsys.readouterr().out
    load()
    assert main([*command, "any", "--fit", "pad"]) == 1
    assert "reads images of any size, so --fit has no effect" in capsys.readouterr().err


def test_one_file_becomes_one_file(load, photos, capsys):
    load()
    Image.new("RGB", (9, 9)).save("old.png")
    for output in ("old.png", "new.png"):
        assert main(["translate", "n", "photos/a.bmp", "-o", output]) == 0
        assert Image.open(output).size == (20, 30)
        assert capsys.readouterr().out == f"{output}: 1 image translated\n"
    assert main(["translate", "n", "photos/a.bmp"]) == 0
    assert Image.open("translated.png").size == (20, 30)
    (photos.parent / "there").mkdir()
    assert main(["translate", "n", "photos/a.bmp", "-o", "there"]) == 0
    assert written(photos.parent / "there") == {"a.png": (20, 30)}


def test_a_grid_shows_inputs_above_outputs(load, photos):
    load()
    assert main(["translate", "n", "photos", "--grid", "-o", "grid.png"]) == 0
    grid = np.asarray(Image.open("grid.png"))[::4, ::4]  # small images are enlarged
    assert grid.shape == (2 + 2 * 18, 2 + 3 * 18, 3)
    inputs, outputs = grid[2:18, 2:-2], grid[20:36, 2:-2]
    assert (inputs[:, :16] == (0, 100, 200)).all()
    assert (outputs[:, :16] == (255, 155, 55)).all()


def test_large_images_are_tiled(load, photos, capsys, monkeypatch):
    model = load()
    monkeypatch.setattr("ganzoo.sampling.translated_files.WHOLE", 40 * 17)
    Image.new("RGB", (600, 40), "red").save(photos / "wide.png")
    assert main(["translate", "n", "photos", "-o", "out"]) == 0
    assert max(shape[3] for shape in model.shapes) == 512
    assert "  in tiles of 512x512 pixels: 1 image\n" in capsys.readouterr().out
    assert main(["translate", "n", "photos", "-o", "32", "--tile", "30", "--overlap", "8"]) == 0
    assert "  in tiles of 32x32 pixels: 2 images\n" in capsys.readouterr().out
    model.shapes.clear()
    assert main(["translate", "n", "photos", "-o", "whole", "--tile", "0"]) == 0
    assert (1, 3, 40, 600) in model.shapes
    assert "tiles" not in capsys.readouterr().out
    assert written(photos.parent / "whole") == written(photos.parent / "32")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "image file not found: none.png"),
        (["photos/b.png", "none.png", "-o", "out"], "image file not found: none.png"),
        (["photos", "-o", "photos/out"], "photos/out is in the folder photos"),
        (["photos", "-o", "photos"], "photos is in the folder photos"),
        (["photos/b.png", "-o", "photos"], "b.png is an input and an output"),
        (["photos/b.png", "-o", "photos/b.png"], "b.png is an input and an output"),
        (["photos", "-o", "out.png"], "out.png names one image file.*--grid"),
        (["photos/b.png", "-o", "out.xyz"], "'.xyz' is not an image format"),
        (["photos", "twins", "-o", "out"], "photos/b.png and twins/b.jpg would both be written"),
        (["empty"], "empty contains no image files.*Pass a folder of image files"),
        (["broken.png"], "cannot read the image broken.png"),
        (["photos", "--tile", "8", "--overlap", "8"], "too small for an overlap of 8"),
        (["photos", *["photos"] * 90, "--grid"], "a grid of 273 images is too large"),
    ],
)
def test_bad_input_is_one_clear_line(load, photos, capsys, arguments, message):
    load()
    (photos.parent / "empty").mkdir()
    (photos.parent / "twins").mkdir()
    (photos.parent / "broken.png").write_text("no image")
    Image.new("RGB", (20, 20)).save("twins/b.jpg")
    before = written_names(photos.parent)
    assert main(["translate", "n", *arguments]) == 1
    text = capsys.readouterr().err
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert re.search(message, text), text
    assert written_names(photos.parent) == before


def written_names(folder) -> list:
    return sorted(folder.rglob("*"))
