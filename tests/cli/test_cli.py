import os
import pty
import re
import subprocess
import sys
import termios
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from ganzoo.cli import main
from ganzoo.cli.options import parse_recipe, typed_names
from ganzoo.errors import DataError
from ganzoo.spec import Component
from ganzoo.training.build import complete
from helpers.bundles import change_config
from helpers.distributions import install
from helpers.processes import run_cli, run_new
from helpers.recipes import tiny


def test_list(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for line in ("models", "  dcgan-mnist", "recipes", "architectures", "  mlp", "  wgan-gp"):
        assert line in out
    assert main(["list", "*gan*", "--kind", "losses"]) == 0
    out = capsys.readouterr().out
    assert "wgan-gp" in out
    assert "lsgan" in out
    assert "minimax" not in out
    assert "models" not in out


@pytest.mark.parametrize("columns", [80, 120, 400])
def test_the_list_of_models_fits_the_terminal(columns):
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    subprocess.run(
        [sys.executable, "-m", "ganzoo", "list", "dcgan-*mnist", "--kind", "models"],
        stdout=terminal,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        check=True,
    )
    os.close(terminal)
    lines = os.read(reader, 100_000).decode().splitlines()
    os.close(reader)
    assert max(map(len, lines)) <= columns
    distances = [line.split("distance")[0] for line in lines if "distance" in line]
    ((head,), models) = distances, [line for line in lines if "393,769" in line]
    assert models[0].startswith("  dcgan-mnist ")
    assert models[0][: len(head) + len("distance")].endswith(" 2.227")  # under its heading
    assert (len(lines) == 4) == (columns == 400)


def test_info_shows_the_origin_of_a_model(capsys):
    assert main(["info", "dcgan-mnist"]) == 0
    out = capsys.readouterr().out
    for text in ("28x28x1", "cc-by-sa-3.0", "images seen", "hardware", "seed", "torch "):
        assert text in out


@pytest.mark.parametrize("runtime", [[], ["--runtime", "onnx"], ["--runtime", "torch"]])
def test_sample(tmp_path, capsys, runtime):
    out = tmp_path / "new" / "grid.png"
    assert main(["sample", "dcgan-mnist", "-n", "16", "--seed", "3", "-o", str(out), *runtime]) == 0
    assert str(out) in capsys.readouterr().out
    assert Image.open(out).size == (366, 366)


def test_train_export_sample(tmp_path):
    """Run the commands of a user in a row, each in a separate process."""
    small = ["--architecture.width", "4", "--architecture.latent-dim", "8", "--batch-size", "16"]
    result = run_cli(
        "train", "dcgan-digits", "--loss", "wgan-gp", "--loss.discriminator-steps", "2",
        "--images", "64", "--checkpoint-every", "32", "--out", "r", *small, cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "ganzoo export r" in result.stdout
    recipe = tomllib.loads((tmp_path / "r/recipe.toml").read_text())
    assert (
        recipe["loss"].items() >= {"name": "wgan-gp", "gp": 10.0, "discriminator_steps": 2}.items()
    )
    assert recipe["images"] == 64
    result = run_cli("export", "r", "-o", "b", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "ganzoo sample ./b --runtime onnx" in result.stdout
    result = run_cli("sample", "./b", "--runtime", "onnx", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "grid.png").exists()
    again = run_cli("train", "dcgan-digits", "--out", "r", cwd=tmp_path)
    assert again.returncode == 1
    assert "error: the folder r exists already" in again.stderr


def test_train_on_a_folder(tmp_path):
    from helpers.datasets import pictures

    data = pictures(tmp_path / "data", [f"{k}.png" for k in range(4)])
    result = run_cli(
        "train", "dcgan-digits", "--dataset", "folder", "--data", data, "--images", "8",
        "--batch-size", "4", "--dataset.size", "16", "--architecture.width", "2",
        "--out", tmp_path / "r",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "16x16x3" in (run_cli("info", tmp_path / "r" / "bundle").stdout)


def test_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "dcgan-digits", "--dry-run", "--optimizer.lr", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "1,797 images of 16x16x1" in out
    assert "parameters  generator 6" in out
    assert "250,000 images = 3,907 steps of 64" in out
    assert tomllib.loads(out.split("\n\n", 1)[1])["optimizer"]["lr"] == 0.5
    assert re.search(
        r"\n  time        about .+ at .+ images/s, measured over \d+ steps of 64\n", out
    )
    assert out.endswith("starts the training:\n# ganzoo train dcgan-digits --optimizer.lr 0.5\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--ema-halflife -1", "--ema-halflife is -1; it must be at least 0."),
        ("--images 0", "--images is 0; it must be at least 1."),
        ("--optimizer.lr -1", "--optimizer.lr is -1; it must be between 0 and 100."),
        (
            "--optimizer.beta2-to 0.9",
            "--optimizer.beta2-to is 0.9, but --optimizer.decay-start is 1, so nothing decays. Set "
            "--optimizer.decay-start below 1.",
        ),
        (
            "--accumulate 7",
            "a batch of 64 cannot be split into 7 equal parts. Set --accumulate to a divisor of "
            "--batch-size.",
        ),
        (
            "--learning-rates generator -1",
            "--learning-rates generator is -1; it must be between 0 and 100.",
        ),
        (
            "--loss.penalty-every 0",
            "loss 'nonsaturating' cannot be built: --loss.penalty-every is 0; it must be at least "
            "1.",
        ),
        (
            "--keep-best x/y",
            "--keep-best is 'x/y', but loss 'nonsaturating' has no player 'x'. Its players: "
            "discriminator, generator.",
        ),
    ],
)
def test_an_error_names_the_option_that_was_typed(capsys, options, message):
    assert main(["train", "dcgan-digits", "--dry-run", *options.split()]) == 1
    assert capsys.readouterr().err == f"error: {message}\n"


@pytest.mark.parametrize(
    "options",
    ["--augmentation ada", "--loss.augmentation color ada", "--loss.augmentation=ada"],
)
def test_ada_as_the_value_of_another_option_is_named(capsys, options):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "dcgan-digits", *options.split()])
    assert capsys.readouterr().err.endswith("option of its own. Use --loss.ada.\n")


def test_a_path_in_an_error_is_not_an_option():
    error = DataError("no images in runs/ema_halflife, 'batch_size' or log_every.png")
    with pytest.raises(DataError) as raised, typed_names(tiny()):
        raise error
    assert str(raised.value) == "no images in runs/ema_halflife, 'batch_size' or log_every.png"


def test_no_list_of_choices_has_pythons_none(capsys):
    for command in (["sample", "--help"], ["data", "--help"], ["train", "dcgan-digits", "--help"]):
        with pytest.raises(SystemExit):
            main(command)
        assert "None" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["sample", "dcgan-mnist", "--runtime", "None"])
    assert "Expected one of ('torch', 'onnx')" in " ".join(capsys.readouterr().err.split())


def test_the_latents_of_a_uniform_generator_are_explained(bundle, capsys):
    change_config(bundle, lambda config: config["arguments"].update(latent_distribution="uniform"))
    assert main(["info", str(bundle)]) == 0
    text = "8 x N(0, 1), which the generator maps to uniform numbers in [-1, 1]"
    assert text in capsys.readouterr().out


def test_every_field_of_a_recipe_is_an_option():
    recipe, run = parse_recipe(
        ["dcgan-digits", "--architecture", "mlp", "--architecture.width", "7", "--seed", "5",
         "--optimizer.betas", "0.1", "0.2", "--learning-rates", "generator", "0.5",
         "--precision", "bf16", "--dataset.size", "8", "--name", "mine", "--device", "cpu"],
        "ganzoo train",
    )  # fmt: skip
    assert recipe.architecture.name == "mlp"
    assert recipe.architecture.arguments["width"] == 7
    assert recipe.architecture.arguments["slope"] == 0.01, "another component has its own defaults"
    assert recipe.optimizer.betas == (0.1, 0.2)
    assert recipe.optimizer.lr == 5e-4, "the recipe is a preset"
    assert recipe.learning_rates == {"generator": 0.5}
    assert (recipe.seed, recipe.precision, recipe.name) == (5, "bf16", "mine")
    assert recipe.dataset == Component("digits", {"size": 8})
    assert run.device == "cpu"


def test_a_recipe_without_options_is_itself(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(tiny().to_toml())
    recipe, run = parse_recipe([str(path)], "ganzoo train")
    assert complete(recipe) == complete(tiny())
    assert not run.dry_run


def test_help_reads_well(capsys):
    for command in ([], ["--help"], ["sample", "--help"], ["train", "dcgan-digits", "--help"]):
        with pytest.raises(SystemExit) as end:
            main(command)
        assert end.value.code == 0
        out = capsys.readouterr().out
        assert "usage: ganzoo" in out
        assert "Positional" not in out
    assert "--architecture.width INT" in out
    text = " ".join(out.replace("│", "").split())
    for sentence in (
        "single players by name, instead of --optimizer.lr.",
        "beside those of the recipe's --checkpoint-every;",
        "up to --architecture.width-multiplier times this number",
    ):
        assert sentence in text
    assert "Images in a batch" in out
    assert "length of z" in out
    assert main(["train", "--help"]) == 0
    assert "dcgan-digits, dcgan-faces, dcgan-fashion, dcgan-mnist" in capsys.readouterr().out


def test_a_required_argument_is_an_option():
    import ganzoo

    @ganzoo.losses.register("needy")
    def needy(*, weight: float): ...

    try:
        recipe, _ = parse_recipe(["dcgan-digits", "--loss", "needy", "--loss.weight", "3"], "p")
        assert recipe.loss == Component("needy", {"weight": 3.0})
        with pytest.raises(SystemExit):
            parse_recipe(["dcgan-digits", "--loss", "needy"], "p")
    finally:
        ganzoo.losses.unregister("needy")


def test_changed_components_change_the_name(capsys):
    names = {
        (): "dcgan-digits",
        ("--seed", "3", "--images", "9"): "dcgan-digits",
        ("--loss", "lsgan"): "dcgan-lsgan-digits",
        ("--architecture", "mlp", "--dataset", "folder"): "mlp-nonsaturating-folder",
        ("--loss", "lsgan", "--name", "mine"): "mine",
    }
    for options, name in names.items():
        assert parse_recipe(["dcgan-digits", *options], "p")[0].name == name
        text = f"name: {name}, after the new components. --name NAME states another.\n"
        assert capsys.readouterr().err == (text if name not in ("dcgan-digits", "mine") else "")
    # Another type of files does not change the images.
    assert parse_recipe(["dcgan-faces", "--dataset", "zip"], "p")[0].name == "dcgan-faces"
    assert capsys.readouterr().err == ""


def test_a_folder_without_a_leading_dot_is_suggested(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    assert main(["sample", "first"]) == 1
    assert "To load the folder of that name, use ./first." in capsys.readouterr().err


def test_changed_options_change_the_description():
    whole = parse_recipe(["dcgan-mnist"], "p")[0].description
    what, _, length = whole.partition(": ")
    assert length
    descriptions = {
        ("--seed", "4"): whole,
        ("--images", "9"): what,
        ("--loss", "lsgan"): "",
        ("--architecture.width", "32"): "",
    }
    for options, description in descriptions.items():
        assert parse_recipe(["dcgan-mnist", *options], "p")[0].description == description


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sample", "dcgan-mnits"], "Did you mean 'dcgan-mnist'?"),
        (["sample", "dcgan-mnist", "-n", "0"], "cannot sample 0 images"),
        (["sample", "dcgan-mnist", "-o", "x.abc"], "Use .png"),
        (["info", "./absent"], "does not exist"),
        (["sample", "dcgan"], "'dcgan' is a registered architecture"),
        (["sample", "dcgan-digits"], "To get a model, run: ganzoo train dcgan-digits"),
        (["train", "dcgan-digit"], "Did you mean 'dcgan-digits'?"),
        (["train", "dcgan-digits", "--loss", "wgann"], "no loss named 'wgann'"),
        (["train", "dcgan-digits", "--images", "0"], "images is 0"),
        (["train", "dcgan-mnist"], "--data DIR or GANZOO_DATA=DIR"),
        (["train", "absent.toml"], "cannot read the recipe absent.toml"),
        (["train", "--resume", "absent"], "absent is not a run"),
        (["export", "absent"], "neither a run nor a bundle"),
        (["export", "cgan-mnist", "-o", "x"], "It is the name of a registered model"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, monkeypatch, capsys, command, message):
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "dcgan-digits", "--architecture.widht", "3"], "--architecture.width"),
        (
            ["train", "dcgan-digits", "--dataset.labels", "none"],
            "the dataset here is 'digits', which has no option --dataset.labels. For your own image "
            "files, add --dataset folder --data DIR. Its options: --dataset.size.",
        ),
        (["train", "dcgan-digits", "--images", "many"], "INT"),
        (["train", "--images", "3"], "the recipe is missing"),
        (["train", "dcgan-digits", "--resume", "x"], "uses the recipe of the run"),
        (["sampel"], "sample"),
    ],
)
def test_a_mistyped_option_is_refused(command, message):
    result = run_cli(*command)
    assert result.returncode == 2
    assert message in result.stderr + result.stdout


def test_plugins(tmp_path, monkeypatch, capsys):
    install(tmp_path, "acme-gans", {"losses": {"acme": "absent:x"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["plugins"]) == 0
    out = capsys.readouterr().out
    assert "acme-gans 1.2\n  losses         acme" in out
    assert "torch-ganzoo" in out
    monkeypatch.setenv("GANZOO_PLUGINS", "")
    assert main(["plugins"]) == 0
    assert "acme-gans 1.2   switched off: GANZOO_PLUGINS\n" in capsys.readouterr().out
    assert main(["list"]) == 0
    assert "acme" not in capsys.readouterr().out


def test_the_module_and_the_script_run_the_program():
    """In new processes: all other tests call the function, or run the module in a fork."""
    result = run_new("-m", "ganzoo", "--version")
    assert (result.returncode, result.stdout[:9]) == (0, "ganzoo 0."), result.stderr
    script = Path(sys.executable).with_name("ganzoo")
    wrong = subprocess.run([script, "sample", "dcgan-mnits"], capture_output=True, text=True)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: "), wrong.stderr
    assert wrong.stdout == ""
