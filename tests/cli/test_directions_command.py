"""The command `ganzoo directions`."""

import pytest
from PIL import Image

from ganzoo.cli import main
from ganzoo.cli.directions import figure_size
from ganzoo.sampling.directions import Directions
from ganzoo.spec import ImageSpec


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs the command on dcgan-mnist and returns status and output."""
    monkeypatch.chdir(tmp_path)

    def run(*options):
        status = main(["directions", "dcgan-mnist", "--draws", "200", *options])
        output = capsys.readouterr()
        return status, output.out + output.err

    return run


def test_it_writes_the_directions_and_their_figure(run, tmp_path):
    status, output = run("--count", "2", "--runtime", "onnx", "-o", "a.safetensors")
    assert status == 0
    assert output == (
        "a.safetensors: 2 directions in z by sefa\na.png: the first 2, each at 5 strengths\n"
    )
    assert len(Directions.read(tmp_path / "a.safetensors")) == 2
    assert Image.open(tmp_path / "a.png").width > 800
    assert (
        main(
            [
                "sample",
                "dcgan-mnist",
                "-n",
                "2",
                "--sampler",
                "directed",
                "directions=a.safetensors",
                "number=1",
            ]
        )
        == 0
    )


@pytest.mark.parametrize(("name", "count"), [("vae2d-mnist", 2), ("dcgan-mnist", 8)])
def test_a_short_latent_has_fewer_directions_by_default(tmp_path, name, count):
    file = tmp_path / "a.safetensors"
    options = ["--draws", "200", "--runtime", "onnx", "-o", str(file)]
    assert main(["directions", name, *options]) == 0
    assert len(Directions.read(file)) == count


@pytest.mark.parametrize(
    ("side", "directions", "size"),
    [(28, 20, (8, 5)), (256, 8, (8, 5)), (512, 8, (8, 3)), (512, 1, (1, 5)), (1024, 8, (2, 3))],
)
def test_the_figure_of_large_images_has_fewer(side, directions, size):
    assert figure_size(ImageSpec(side, side, 3), directions) == size


def test_classes(run, tmp_path):
    options = [
        "--method",
        "classes",
        "--extractor",
        "lenet-mnist@1",
        "--class",
        "3",
        "--figure",
        "b.svg",
    ]
    status, output = run(*options)
    assert (status, "1 direction in z by classes\n  number 0: class" in output) == (0, True)
    assert Directions.read(tmp_path / "directions.safetensors").names == ("class 3",)
    assert "class 3" in (tmp_path / "b.svg").read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("-o a.npz", "Use for example -o a.safetensors"),
        ("--figure a.gif", "a.png"),
        ("--method classes", "needs --extractor NAME"),
        ("--extractor lenet-mnist@1", "need --method classes"),
        ("--class 3", "need --method classes"),
        ("--count 65", "the number is 1 to 64"),
        ("--strength 1e300", "beyond the range of float32"),
        ("--draws 1", "the number is 2 to 1,000,000"),
        ("--layers fine", "has no w, which layers read"),
    ],
)
def test_wrong_options_are_named_before_anything_is_written(run, tmp_path, options, says):
    status, output = run(*options.split())
    assert (status, says in output) == (1, True), output
    assert not any(tmp_path.iterdir())
