"""An interrupted run resumes from an intact checkpoint and ends in the same weights."""

import json
import os
import shutil
import time

import pytest
import torch
from safetensors.torch import load_file

import ganzoo
from ganzoo.errors import CheckpointError, OutputError, RecipeError, RunExistsError
from ganzoo.training.checkpoint import check_space, load_checkpoint, save_checkpoint
from helpers.processes import run_cli, run_python, start_cli
from helpers.recipes import tiny


def train(recipe, out, **options):
    return ganzoo.train(recipe, out=out, progress=False, **options)


def newest(run):
    return sorted((run / "checkpoints").glob("*.safetensors"))[-1]


def same_weights(a, b):
    a, b = load_file(newest(a)), load_file(newest(b))
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


HARNESS = """
import os, random, signal, sys, time
from pathlib import Path
import sklearn.datasets, torch, torch.utils.tensorboard
import ganzoo
from ganzoo.spec import Recipe

recipe, run = Recipe.from_toml(Path(sys.argv[1])), Path(sys.argv[2])
random.seed(0)
ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT

def attempt():
    # Rounding depends on it. Not before the fork: torch's autograd threads would replace the
    # inherited thread pool at the same time, and sometimes abort ("Invalid thread pool!").
    torch.set_num_threads(int(sys.argv[4]))
    if (run / "recipe.toml").exists():
        ganzoo.resume(run, progress=False)
    else:
        ganzoo.train(recipe, out=run, progress=False)

def checkpoints():
    return sorted(path.name for path in (run / "checkpoints").glob("*.safetensors"))

kills, before = 0, []
while True:
    child = os.fork()  # all is imported already: the kill falls into the training
    if not child:
        attempt()
        os._exit(0)
    if kills < int(sys.argv[3]):
        if kills % 2:  # however busy the machine is, it goes on from a newer checkpoint next
            while checkpoints()[-1:] <= before and not os.waitid(os.P_PID, child, ENDED):
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.05))
        else:
            time.sleep(random.uniform(0.02, 0.2))
        os.kill(child, signal.SIGKILL)
        before = checkpoints()[-1:]
    _, status = os.waitpid(child, 0)
    kills += os.WIFSIGNALED(status)
    if not os.WIFSIGNALED(status):
        assert status == 0
        if kills >= int(sys.argv[3]):
            break
        raise SystemExit("it ended before it was killed so often: make it longer")
print(kills)
"""


@pytest.mark.parametrize("kills", [8, pytest.param(50, marks=pytest.mark.slow)])
def test_repeated_kills_end_in_the_same_weights(tmp_path, kills):
    recipe = tiny(images=16 * 30 * kills, checkpoint_every=160, log_every=160)
    whole = train(recipe, tmp_path / "whole").path
    (tmp_path / "tiny.toml").write_text(recipe.to_toml())
    arguments = tmp_path / "tiny.toml", tmp_path / "run", kills, torch.get_num_threads()
    done = run_python(HARNESS, *map(str, arguments))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(kills)]
    assert same_weights(whole, tmp_path / "run")


def test_a_truncated_checkpoint_falls_back_to_the_previous(tmp_path):
    whole = train(tiny(), tmp_path / "whole").path
    run = shutil.copytree(whole, tmp_path / "run")
    broken = newest(run)
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=f"{broken.name} is damaged .* from the one before it"):
        assert ganzoo.resume(run, progress=False).finished
    assert same_weights(whole, run)
    assert broken.with_suffix(".damaged").exists()


def flip_a_bit(content):
    content[len(content) // 2] ^= 0x10


def zero_a_block(content):
    content[-4096:-2048] = bytes(2048)


def flip_the_last_bit(content):
    content[-1] ^= 0x80


def flip_in_the_header(content):
    place = content.index(b"images_seen") if b"images_seen" in content else content.index(b"tick")
    content[content.index(b"[", place) if b"[" in content[place : place + 30] else place] ^= 1


@pytest.mark.parametrize(
    "damage", [flip_a_bit, zero_a_block, flip_the_last_bit, flip_in_the_header]
)
def test_a_checkpoint_with_other_bits_gives_way_to_the_one_before(tmp_path, tiny_run, damage):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    broken = newest(run)
    content = bytearray(broken.read_bytes())
    damage(content)
    broken.write_bytes(content)
    with pytest.warns(UserWarning, match=f"{broken.name} is damaged .* from the one before it"):
        assert ganzoo.resume(run, progress=False).finished
    assert same_weights(tiny_run, run)


def test_damaged_lines_of_a_log_are_skipped(tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    newest(run).unlink()
    log = run / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    damaged = lines[0].replace(b'"terms"', b'"tesms"')
    log.write_bytes(b"".join([damaged, *lines[1:]]))
    with pytest.warns(UserWarning, match=r"line 1 of .*log\.jsonl is damaged and skipped"):
        assert ganzoo.resume(run, progress=False).finished
    assert [json.loads(line)["images"] for line in log.read_text().splitlines()] == [32, 48, 64]
    assert same_weights(tiny_run, run)


def test_a_damaged_best_bundle_is_replaced_with_a_warning(tmp_path):
    run = train(tiny(keep_best="generator/adversarial"), tmp_path / "run")
    newest(run.path).unlink()
    weights = run.best / "model.safetensors"
    content = bytearray(weights.read_bytes())
    flip_a_bit(content)
    weights.write_bytes(content)
    with pytest.warns(UserWarning, match="The next bundle replaces it"):
        ganzoo.resume(run.path, progress=False)
    assert ganzoo.load(run.best)


def test_a_run_without_an_intact_checkpoint_is_an_error(tmp_path):
    run = train(tiny(), tmp_path / "run").path
    for path in (run / "checkpoints").iterdir():
        path.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(CheckpointError, match="is damaged.*Delete it to start the training again"),
    ):
        ganzoo.resume(run, progress=False)


def test_a_folder_among_the_checkpoints_is_skipped(tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "checkpoints" / "999999999999.safetensors").mkdir()
    with pytest.warns(UserWarning, match="999999999999.safetensors is damaged"):
        assert ganzoo.resume(run, progress=False).finished
    (run / "checkpoints" / "000000000000.safetensors").mkdir()
    assert ganzoo.resume(run, progress=False).finished


HOSTILE = {
    "tick": lambda s: s["state"].update(tick=-1),
    "time": lambda s: s["state"].update(seconds="soon"),
    "no_state": lambda s: s.pop("state"),
    "recipe": lambda s: s.update(recipe=7),
    "recipe_text": lambda s: s.update(recipe="x = " + "[" * 100_000),
    "batches": lambda s: s.update(batches_drawn=-5),
    "networks": lambda s: s["state"]["nets"].pop("generator"),
    "weights": lambda s: s["state"]["nets"]["generator"].popitem(),
    "optimizers": lambda s: s["state"]["optimizers"].clear(),
    "moments": lambda s: s["state"]["optimizers"]["generator"]["state"][0].pop("exp_avg"),
    "sizes": lambda s: s["state"]["optimizers"]["generator"]["state"][0].update(
        exp_avg=torch.zeros(3)
    ),
    "places": lambda s: s["state"]["optimizers"]["generator"]["state"].update({999: {}}),
    "scalers": lambda s: s["state"]["scalers"]["generator"].update(scale="x"),
}


@pytest.mark.parametrize("field", HOSTILE)
def test_a_hostile_checkpoint_is_one_line(tmp_path, tiny_run, field, no_collection):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    for path in list((run / "checkpoints").iterdir()):
        state = load_checkpoint(run / "checkpoints")
        path.unlink()
    HOSTILE[field](state)
    save_checkpoint(run / "checkpoints", 64, state, keep=1)
    with pytest.raises((CheckpointError, RecipeError)) as error:
        ganzoo.resume(run, progress=False)
    message = str(error.value).partition("\n  ganzoo train ")[0]
    assert "\n" not in message
    assert "checkpoint" in message


@pytest.mark.parametrize("line", ["{", "[1]", '{"images": "x"}', "[" * 100_000])
def test_a_damaged_line_of_the_log_is_named(tmp_path, tiny_run, line):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    newest(run).unlink()
    log = run / "log.jsonl"
    log.write_text(f"{line}\n{log.read_text()}")
    with pytest.warns(UserWarning, match=r"line 1 of .*log\.jsonl is damaged and skipped"):
        assert ganzoo.resume(run, progress=False).finished


def test_a_folder_in_use_is_refused_until_its_process_ends(tmp_path):
    run = tmp_path / "run"
    options = ["--architecture.width", "4", "--log-every", "64", "--images", "10000000"]
    options += ["--checkpoint-every", "64"]
    process = start_cli("train", "dcgan-digits", *options, "--out", run)
    deadline = time.monotonic() + 120
    while not list(run.glob("checkpoints/*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        with pytest.raises(RunExistsError, match="another training runs in"):
            ganzoo.resume(run, progress=False)
        assert process.poll() is None, "and not harmed"
    finally:
        process.kill()
        process.wait()
    assert ganzoo.resume(run, progress=False, max_time="0.1s").ended == "time"


def test_a_second_ctrl_c_ends_at_once_and_keeps_the_checkpoint(tmp_path):
    """The first signal has no effect yet, because the tick is blocked."""
    code = f"""
import os, signal, time, ganzoo, ganzoo.training.log as log
from ganzoo.spec import Recipe
from pathlib import Path

original, count = log.Log.log_term, 0
def twice(self, *a):
    global count
    count += 1
    if count == 12:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # at once: passed on by a launcher
        time.sleep(1.1)
        os.kill(os.getpid(), signal.SIGINT)
    original(self, *a)
log.Log.log_term = twice
ganzoo.train(Recipe.from_toml(Path({str(tmp_path / "tiny.toml")!r})), out={str(tmp_path / "run")!r})
"""
    recipe = tiny(images=160)
    (tmp_path / "tiny.toml").write_text(recipe.to_toml())
    done = run_python(code)
    assert done.returncode != 0
    assert "KeyboardInterrupt" in done.stderr
    assert newest(tmp_path / "run").name == "000000000064.safetensors"
    assert ganzoo.resume(tmp_path / "run", progress=False).finished
    assert same_weights(tmp_path / "run", train(recipe, tmp_path / "whole").path)


def test_a_time_limit_ends_a_run_with_a_checkpoint(tmp_path):
    run = tmp_path / "run"
    arguments = ["--images", "10000000", "--architecture.width", "4", "--max-time", "1s"]
    result = run_cli("train", "dcgan-digits", *arguments, "--out", run)
    assert result.returncode == 0, result.stderr
    assert "time limit reached after" in result.stderr
    assert f"ganzoo train --resume {run}" in result.stderr
    assert len(ganzoo.load(run / "bundle").sample(2)) == 2
    with pytest.raises(RecipeError, match="'soon' is not a duration"):
        train(tiny(), tmp_path / "never", max_time="soon")
    assert not (tmp_path / "never").exists()


def test_a_run_within_its_time_limit_is_finished(tmp_path):
    run = train(tiny(), tmp_path / "run", max_time="1h")
    assert (run.ended, run.finished) == ("finished", True)


def test_disk_space_is_checked_before_writing(tmp_path, monkeypatch):
    check_space(tmp_path / "not" / "there" / "yet", 1)
    with pytest.raises(OutputError, match=r"takes .* MB and .* has .* MB free"):
        check_space(tmp_path, 2 * shutil.disk_usage(tmp_path).total)
    whole = train(tiny(), tmp_path / "whole").path
    run = shutil.copytree(whole, tmp_path / "run")
    newest(run).unlink()
    before = {p.name: p.read_bytes() for p in (run / "checkpoints").iterdir()}
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OutputError, match=r"0\.0 MB free.*The last good checkpoint is"):
        ganzoo.resume(run, progress=False)
    assert {p.name: p.read_bytes() for p in (run / "checkpoints").iterdir()} == before
    monkeypatch.undo()
    assert ganzoo.resume(run, progress=False).finished
    assert same_weights(whole, run)


def test_clock_changes_have_no_effect(tmp_path, monkeypatch):
    whole = train(tiny(), tmp_path / "whole").path
    jumps = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: (-1) ** next(jumps) * 1e9)
    run = train(tiny(), tmp_path / "run", max_time="1h")
    assert run.finished
    assert same_weights(whole, run.path)
    assert os.path.getsize(run.path / "log.jsonl")


def test_a_folder_of_a_training_that_never_began_is_new(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in (".lock", "run.json", ".run.json.ganzoo-abc", ".recipe.toml.ganzoo-abc"):
        (run / name).write_text("")
    assert ganzoo.train(tiny(images=16), out=run, progress=False).finished
    with pytest.raises(RunExistsError, match="exists already"):
        ganzoo.train(tiny(images=16), out=run, progress=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("")
    with pytest.raises(RunExistsError, match="exists already"):
        ganzoo.train(tiny(images=16), out=tmp_path / "other", progress=False)
