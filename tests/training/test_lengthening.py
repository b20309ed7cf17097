"""Runs that are lengthened, or resumed with other options."""

import json
import os
import shlex
import shutil
import signal
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

import ganzoo
from ganzoo.bundle.location import open_folder
from ganzoo.cards import CardContext, training
from ganzoo.cli import main
from ganzoo.cli.options import parse_recipe
from ganzoo.errors import CheckpointError, RecipeError, RunNotFoundError
from ganzoo.registry import find_recipe
from ganzoo.spec import Component, Optimizer, Recipe
from ganzoo.system.signals import stop_on_signal
from ganzoo.training.build import complete
from ganzoo.training.changes import differences, extend_history, replay
from ganzoo.training.overrides import override
from helpers.recipes import tiny


def train(recipe, out, **options):
    return ganzoo.train(recipe, out=out, progress=False, monitors="off", **options).path


def resume(run, **options):
    return ganzoo.resume(run, progress=False, monitors="off", **options)


def weights(run):
    checkpoint = load_file(sorted((run / "checkpoints").iterdir())[-1])
    return {name: tensor.numpy().tobytes() for name, tensor in checkpoint.items()}


def history(run):
    return [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A finished run of 32 images. Copy it before changing it."""
    return train(tiny(images=32), tmp_path_factory.mktemp("short") / "run")


@pytest.fixture
def run(short, tmp_path):
    return shutil.copytree(short, tmp_path / "run")


def test_a_lengthened_run_has_the_weights_of_a_run_of_that_length(run, tmp_path, capsys):
    long = train(tiny(images=80), tmp_path / "long")
    assert main(["train", "--resume", str(run), "--images", "80", "--log-every", "32"]) == 0
    assert weights(run) == weights(long)
    assert Recipe.from_toml(run / "recipe.toml").images == 80
    changes = {"images": [32, 80], "log_every": [16, 32]}
    assert history(run) == [{"images": 32, "changes": changes}]
    assert ganzoo.info(run / "bundle").provenance["history"] == history(run)
    assert "lengthened:" not in capsys.readouterr().err
    assert main(["info", str(run)]) == 0
    line = "history 1     changed after 32 images: images from 32 to 80, log_every from 16 to 32\n"
    assert line in capsys.readouterr().out
    bundle = ganzoo.export(run, tmp_path / "bundle", figures=False)
    assert (
        "| changed after 32 images | `images` from 32 to 80" in (bundle / "README.md").read_text()
    )


def test_a_finished_run_says_how_to_lengthen_it(run, capsys):
    assert main(["train", "--resume", str(run)]) == 0
    out, errors = capsys.readouterr()
    assert out.splitlines()[0] == f"  samples   {run / 'samples'}"  # and not that it trained
    assert "players" not in errors  # of the plan
    assert f"is finished: it has seen all 32 images. Lengthen it: ganzoo train --resume {run} --images 64" in errors  # fmt: skip
    assert "recorded" not in errors
    assert main(["train", "--resume", str(run), "--log-every", "32"]) == 0
    assert "The new log_every is recorded for then." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"optimizer": Optimizer(decay_start=0.5)}, "--optimizer.decay-start"),
        ({"ema_ramp": "cosine"}, "--ema-ramp cosine"),
        ({"loss": Component("nonsaturating", {"instance_noise": 0.1})}, "--loss nonsaturating"),
    ],
)
def test_a_schedule_over_the_whole_run_is_named(tmp_path, capsys, changes, names):
    run = train(tiny(images=16, **changes), tmp_path / "run")
    ganzoo.resume(run, images=32, monitors="off")
    assert f"lengthened: {names} follows the length of the run" in capsys.readouterr().err


def test_what_a_run_learns_changes_only_on_request(run):
    before = weights(run)
    with pytest.raises(RecipeError, match=r"^--loss.r1, --optimizer.lr change what the run learns"):
        resume(run, images=64, optimizer={"lr": 1e-3}, loss={"r1": 1.0})
    assert weights(run) == before
    assert not (run / "history.jsonl").exists()
    resume(run, images=64, optimizer={"lr": 1e-3}, loss={"r1": 1.0}, change=True)
    assert history(run)[0]["changes"]["optimizer.lr"] == [0.0002, 0.001]
    resume(run)  # the next resume needs no options
    resume(run, images=96)
    assert [line["images"] for line in history(run)] == [32, 64]
    (run / "history.jsonl").unlink()
    with pytest.raises(CheckpointError, match=r"history\.jsonl is missing, a record .* Restore it"):
        resume(run, images=128)


def test_a_run_that_starts_again_has_no_history(run):
    resume(run, images=48)
    assert len(history(run)) == 1
    shutil.rmtree(run / "checkpoints")
    resume(run)
    assert history(run) == []


@pytest.mark.parametrize(
    ("fields", "names", "options"),
    [
        ({"architecture": {"width": 8}}, "--architecture.width", "--architecture.width 8"),
        ({"loss": {"name": "hinge", "r1": 1}}, "--loss", "--loss hinge --loss.r1 1.0"),
        (
            {"seed": 1, "learning_rates": {"generator": 0.1}, "evaluate_every": 8},
            "--seed",
            "--evaluate-every 8 --learning-rates generator 0.1 --seed 1",
        ),
    ],
)
def test_the_networks_the_game_and_the_seed_never_change(run, fields, names, options):
    with pytest.raises(RecipeError) as error:
        resume(run, change=True, data="a b", **fields)
    message, command = str(error.value).splitlines()
    assert message == f"a run keeps its {names}. Start a new run with the other value:"
    assert command == f"  ganzoo train {run}/recipe.toml {options} --data 'a b' --out {run}-2"
    recipe, _ = parse_recipe(shlex.split(command)[2:], "ganzoo train")
    changed = override(Recipe.from_toml(run / "recipe.toml"), fields)
    assert differences(complete(changed), complete(recipe)).keys() <= {"name", "description"}


def test_another_option_of_the_data_starts_from_the_weights_of_the_run(run):
    with pytest.raises(RecipeError) as error:
        resume(run, dataset={"size": 32})
    message, command, otherwise, from_scratch = str(error.value).splitlines()
    assert message == "a run keeps its --dataset.size. Start a new run with the other value:"
    recipe, options = parse_recipe(shlex.split(command)[2:], "ganzoo train")
    assert (recipe.name, recipe.dataset.arguments["size"]) == ("tiny-2", 32)
    assert (options.init_from, options.out) == (str(run), run.with_name("run-2"))
    assert "From the first weights instead:" in otherwise
    assert "--init-from" not in from_scratch
    assert "--name" not in from_scratch


def test_a_path_that_is_no_run_is_explained(run, monkeypatch):
    with pytest.raises(RunNotFoundError, match=r"It is in a run: ganzoo train --resume .*run$"):
        resume(run / "bundle")
    bundle = shutil.copytree(run / "bundle", run.with_name("model"))
    with pytest.raises(RunNotFoundError, match=r"is a bundle, .* --init-from .*model$"):
        resume(bundle)
    monkeypatch.chdir(run.parent)
    with pytest.raises(RunNotFoundError, match=r"ruun is not a run: .* Did you mean 'run'\?"):
        resume("ruun")


def test_the_batch_size_changes_where_batches_end(run):
    with pytest.raises(RecipeError, match="no whole number of batches of 5"):
        resume(run, images=64, batch_size=5, change=True)
    assert resume(run, images=64, batch_size=8, change=True).images_seen == 64
    assert history(run)[0]["changes"]["batch_size"] == [16, 8]
    card = training.render(CardContext.of(open_folder(run)))
    assert "64 images in batches of 16 up to 32 images, then 8, " in card


def test_a_run_does_not_become_shorter_than_what_it_has_seen(run):
    before = (run / "recipe.toml").read_text()
    with pytest.raises(RecipeError, match="has seen 32 images.*--images with 32 or more"):
        resume(run, images=31)
    assert (run / "recipe.toml").read_text() == before


def test_a_run_that_was_killed_between_its_files_resumes(run):
    """The history is written before the recipe, and both before the next checkpoint."""
    line = {"images": 32, "changes": {"images": [32, 64]}}
    (run / "history.jsonl").write_text(json.dumps(line) + "\n")
    assert resume(run).images_seen == 32
    assert history(run) == []
    recipe = replace(Recipe.from_toml(run / "recipe.toml"), images=64)
    (run / "recipe.toml").write_text(recipe.to_toml())
    with pytest.raises(CheckpointError, match="differs from the recipe"):
        resume(run)
    (run / "history.jsonl").write_text(json.dumps(line) + "\n")
    assert resume(run).images_seen == 64
    assert history(run) == [line]


def test_a_history_that_cannot_be_applied_explains_no_change(run):
    changes = {"images": 32, "changes": {"nothing.here": [1, 2]}}
    (run / "history.jsonl").write_text(json.dumps(changes) + "\n")
    assert resume(run).images_seen == 32
    assert history(run) == []


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [{"images": 16, "changes": []}],
            r'the line \{"images": 16, "changes": \[\]\} has no table',
        ),
        ([{"images": 16, "changes": {"seed": 1}}], "has no table of two values for each field"),
        ([{"images": 16, "changes": {"images": ["a", 32]}}], r"images: Input should be a valid"),
        ([{"images": 16, "changes": {"images": [32, True]}}], "images became True, but it is 32"),
        ([{"images": 16, "changes": {"nothing": [1, 2]}}], "nothing became 2, but it does not"),
        (
            [{"images": 16, "changes": {"optimizer.lr": [1e-3, 5.0]}}],
            "became 5.0, but it is 0.0002",
        ),
        (
            [{"images": n, "changes": {"images": [n, 32]}} for n in (31, 16)],
            r"after \[31, 16\] images, which are not in order",
        ),
    ],
)
def test_a_history_of_other_changes_is_refused(run, lines, reason):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run / "history.jsonl").write_text(text)
    with pytest.raises(CheckpointError, match=rf"history.jsonl, .* is damaged: .*{reason}"):
        resume(run)
    assert (run / "history.jsonl").read_text() == text


@pytest.mark.parametrize("name", ["history.jsonl", "initial.json"])
def test_a_record_that_is_a_folder_is_refused(run, name):
    (run / name).mkdir()
    with pytest.raises(CheckpointError, match=rf"{name}, which says .*Restore it"):
        resume(run)


def test_an_older_checkpoint_moves_the_change(run):
    resume(run, images=64, optimizer={"lr": 1e-3}, change=True)
    resume(run, images=96, optimizer={"lr": 1e-4}, change=True)
    assert [line["images"] for line in history(run)] == [32, 64]
    (newest, *_) = sorted((run / "checkpoints").iterdir())[::-1]
    newest.unlink()
    assert resume(run).images_seen == 96
    assert [line["images"] for line in history(run)] == [32, 64]


def test_checkpoints_are_also_written_by_time(tmp_path):
    recipe = tiny(images=48, checkpoint_every=0, keep_checkpoints=9)
    run = train(recipe, tmp_path / "run", checkpoint_minutes=1e-9)
    names = [f.stem.lstrip("0") for f in sorted((run / "checkpoints").iterdir())]
    assert names == ["16", "32", "48"]
    with pytest.raises(RecipeError, match="--checkpoint-minutes is -1"):
        train(recipe, tmp_path / "other", checkpoint_minutes=-1)


def test_a_closed_terminal_stops_like_ctrl_c():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with stop_on_signal() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stopped()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        with stop_on_signal() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopped()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"images": 64}, "--images 64"),
        ({"loss": "hinge"}, "--loss hinge"),
        ({"loss": {"name": "wgan-gp", "gp": 5.0}}, "--loss wgan-gp --loss.gp 5"),
        ({"architecture": {"width": 4}}, "--architecture.width 4"),
        ({"optimizer": {"lr": 1e-4, "decay_start": 0.5}, "dataset": "ring"},
         "--optimizer.lr 1e-4 --optimizer.decay-start 0.5 --dataset ring"),
    ],
)  # fmt: skip
def test_python_and_the_command_line_change_a_recipe_alike(fields, options):
    from ganzoo.training.build import complete

    recipe, _ = parse_recipe(["dcgan-digits", *options.split()], "ganzoo train")
    assert complete(override(find_recipe("dcgan-digits"), fields)) == complete(recipe)


def test_a_wrong_field_is_named():
    with pytest.raises(RecipeError, match=r"no field 'image'\. Did you mean 'images'\?"):
        override(tiny(), {"image": 64})
    with pytest.raises(RecipeError, match="images"):
        override(tiny(), {"images": "many"})


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_a_history_leads_from_the_first_recipe_to_the_last(lengths):
    first, lines = tiny(), []
    recipe = first
    for number, images in enumerate(lengths, 1):
        after = replace(recipe, images=images, optimizer=replace(recipe.optimizer, lr=1 / images))
        lines = extend_history(lines, 100 * number, recipe, after)
        recipe = after
    assert not differences(replay(first, lines), recipe)


def test_a_finished_run_does_not_record_an_option_that_changes_no_bundle(run, tmp_path):
    with pytest.raises(RecipeError, match=rf"--resume {run} --images 64 --keep-discriminator\. "):
        resume(run, keep_discriminator=True)
    assert not (run / "history.jsonl").exists()
    assert not Recipe.from_toml(run / "recipe.toml").keep_discriminator
    resume(run, images=64, keep_discriminator=True)
    assert ganzoo.info(run).training_roles == ("discriminator",)
    initial = ganzoo.train(tiny(images=16), out=tmp_path / "next", init_from=run, progress=False)
    assert json.loads((initial.path / "initial.json").read_text())["counts"]["discriminator"][0]


@pytest.mark.parametrize(
    ("changes", "option"),
    [({"loss": {"ada": True}}, "--loss.ada"), ({"optimizer": {"name": "sgd"}}, "--optimizer.name")],
)
def test_a_change_that_needs_other_state_is_named(run, changes, option):
    with pytest.raises(
        RecipeError, match=rf"does not fit with {option}: .*\n  ganzoo train"
    ) as error:
        resume(run, images=64, change=True, **changes)
    assert f"--init-from {run} --out {run}-2" in str(error.value)
    assert not (run / "history.jsonl").exists()
    resume(run, images=64)


def test_the_command_of_a_new_run_states_a_default_that_the_recipe_omits(tmp_path):
    run = train(tiny(images=16), tmp_path / "run", loss={"ada": True})
    with pytest.raises(RecipeError, match=r" --images 32 --loss\.no-ada --init-from "):
        resume(run, images=32, change=True, loss={"ada": False})
    resume(run, images=32, change=True, loss={"ada_target": 0.3})
    resume(run, images=48, change=True, loss={"ada_target": 0.6})  # the default
    assert [line["changes"].get("loss.ada_target") for line in history(run)] == [
        [0.6, 0.3],
        [0.3, 0.6],
    ]
    resume(run, images=64)
