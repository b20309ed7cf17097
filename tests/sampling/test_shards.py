"""Folders of shards have the same bytes for any processes and after any kills."""

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.bundle.files import sha256
from ganzoo.cli import main
from ganzoo.errors import OutputError, SampleError
from ganzoo.runtimes.torch import wrap
from ganzoo.sampling import shards
from ganzoo.sampling.code_files import write_codes
from ganzoo.sampling.shards import Process, sample_to
from ganzoo.spec import DataSpec, ImageSpec, ModelSpec
from helpers.bundles import change_config
from helpers.processes import run_cli, run_new, run_python
from helpers.torchrun import run_group

N, SIZE = 600, 70  # shards start within the generator's batches; the last one is shorter


@pytest.fixture(scope="module")
def model(tiny_bundle):
    return ganzoo.load(tiny_bundle, runtime="onnx")  # the processes of these tests start sooner


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """The content that one uninterrupted process writes."""
    folder = tmp_path_factory.mktemp("shards") / "whole"
    sample_to(model, folder, N, 3, shard_size=SIZE)
    return content(folder)


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def members(folder):
    """Return all members of the folder's tar files, in order."""
    files = []
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            files += [(member.name, tar.extractfile(member).read()) for member in tar]
    return files


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_the_images_equal_those_of_sample(tiny_bundle, tmp_path, runtime):
    model = ganzoo.load(tiny_bundle, runtime=runtime)
    sample_to(model, tmp_path, N, 3, shard_size=SIZE)
    files = members(tmp_path)
    assert [name for name, _ in files] == [f"{k:09d}.png" for k in range(N)]
    images = np.stack([pixels(png) for _, png in files])
    assert np.array_equal(images, model.sample(N, 3).numpy()[..., 0])
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["shards"] == "images-{000000..000008}.tar"
    assert [p.name for p in sorted(tmp_path.glob("*.tar"))] == [
        f"images-{k:06d}.tar" for k in range(9)
    ]


@pytest.mark.parametrize("label", [None, 7])
def test_each_image_has_its_class(tmp_path, label):
    digits = ganzoo.load("cgan-mnist")
    sample_to(digits, tmp_path, 24, 5, label=label, shard_size=20)
    files = members(tmp_path)
    expected = [f"{k:09d}.{kind}" for k in range(24) for kind in ("png", "cls")]
    assert [name for name, _ in files] == expected
    classes = [int(text) for _, text in files[1::2]]
    assert classes == [k % 10 if label is None else label for k in range(24)]
    images = np.stack([pixels(png) for _, png in files[::2]])
    assert np.array_equal(images, digits.sample(24, 5, label=label).numpy()[..., 0])


@pytest.mark.parametrize("size", [1, 256, 10_000])
def test_an_image_does_not_depend_on_its_shard(model, tmp_path, size):
    sample_to(model, tmp_path / "a", 300, 3, shard_size=size)
    sample_to(model, tmp_path / "b", 300, 3, shard_size=SIZE)
    assert members(tmp_path / "a") == members(tmp_path / "b")


@pytest.mark.parametrize("ranks", [[0, 1], [2, 0, 1], range(11, -1, -1)], ids=str)
def test_any_number_of_processes_writes_the_same_shards(model, whole, tmp_path, ranks):
    results = [
        sample_to(model, tmp_path, N, 3, shard_size=SIZE, process=Process(rank, len(ranks)))
        for rank in ranks
    ]
    assert content(tmp_path) == whole
    assert [m.ended_it for m in results].count(True) == 1, "one of them says that all is done"
    assert results[-1].whole


def test_one_process_ends_it_where_two_finish_at_the_same_time(model, whole, tmp_path, monkeypatch):
    tidy, other = shards._tidy, []

    def finish_the_other_first(*arguments):
        monkeypatch.undo()
        other.append(sample_to(model, tmp_path, N, 3, shard_size=SIZE, process=Process(1, 2)))
        return tidy(*arguments)

    monkeypatch.setattr(shards, "_tidy", finish_the_other_first)
    mine = sample_to(model, tmp_path, N, 3, shard_size=SIZE, process=Process(0, 2))
    assert (mine.whole, other[0].whole) == (True, True)
    assert (mine.ended_it, other[0].ended_it) == (False, True)
    assert content(tmp_path) == whole


def test_existing_shards_are_not_generated_again(model, whole, tmp_path):
    first = sample_to(model, tmp_path, N, 3, shard_size=SIZE)
    assert (first.images, first.whole, first.ended_it) == (N, True, True)
    (tmp_path / "images-000004.tar").unlink()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    again = sample_to(model, tmp_path, N, 3, shard_size=SIZE)
    assert (again.images, again.ended_it) == (SIZE, True)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert content(tmp_path) == whole
    nothing = sample_to(model, tmp_path, N, 3, shard_size=SIZE)
    assert (nothing.images, nothing.whole, nothing.ended_it) == (0, True, False)


def test_cost_does_not_depend_on_the_image_number(model, tmp_path, monkeypatch):
    computed = []
    run = model.run
    monkeypatch.setattr(
        model, "run", lambda inputs: computed.append(len(inputs["z"])) or run(inputs)
    )
    far = Process(990_000 // 16, 1_000_000 // 16)
    sample_to(model, tmp_path, 1_000_000, 3, shard_size=16, process=far)
    assert sum(computed) == 17, "its own batch, and one image that tries the arguments"
    monkeypatch.undo()
    files = members(tmp_path)
    assert files[0][0] == "000990000.png"
    expected = model.sample(16, 3, start=990_000).numpy()[..., 0]
    assert np.array_equal(np.stack([pixels(png) for _, png in files]), expected)


# A process that is killed after some batches, in the middle of a shard.
KILLED = """
import os, signal, sys, ganzoo
from ganzoo.sampling.shards import Process, sample_to
bundle, out, n, size, batches, rank, count = sys.argv[1:]
model, left = ganzoo.load(bundle, runtime="onnx"), [int(batches)]
run = model.run
def dying(*args):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return run(*args)
model.run = dying
sample_to(model, out, int(n), 3, shard_size=int(size), process=Process(int(rank), int(count)))
"""


@pytest.mark.parametrize("before", [1, 3])
@pytest.mark.parametrize("after", [1, 2])
def test_a_killed_run_continues_with_other_processes(tiny_bundle, model, tmp_path, before, after):
    out, n, size = tmp_path / "out", 2_000, 600
    for rank in range(before):
        arguments = map(str, (tiny_bundle, out, n, size, 30, rank, before))
        assert run_python(KILLED, *arguments).returncode == -9
    left = content(out)
    assert any(name.startswith(".images-") for name in left), "it was killed within a shard"
    assert "images-000000.tar" not in left, "which is not taken for a whole one"
    for rank in range(after):
        sample_to(model, out, n, 3, shard_size=size, process=Process(rank, after))
    sample_to(model, tmp_path / "whole", n, 3, shard_size=size)
    assert content(out) == content(tmp_path / "whole")


def test_a_kill_keeps_finished_shards(tiny_bundle, whole, model, tmp_path):
    arguments = map(str, (tiny_bundle, tmp_path, N, SIZE, 20, 0, 1))
    assert run_python(KILLED, *arguments).returncode == -9
    files = content(tmp_path)
    assert "images-000002.tar" in files
    assert "images-000008.tar" not in files
    assert {name: files[name] for name in files if name in whole}.items() <= whole.items()
    again = sample_to(model, tmp_path, N, 3, shard_size=SIZE)
    assert again.images < N
    assert content(tmp_path) == whole


def of_torchrun(bundle, runtime):
    """A command for several processes, and the content that one process writes."""
    command = ["sample", bundle, "-n", "300", "--seed", "3", "--shard-size", "40", "--out", "out"]
    model = ganzoo.load(bundle, runtime=runtime)
    sample_to(model, "one", 300, 3, shard_size=40)
    return [*command, "--runtime", runtime], content(Path("one"))


def test_torchrun(tiny_bundle, tmp_path, monkeypatch):
    """Run the README's command: two processes, one folder, one last line."""
    monkeypatch.chdir(tmp_path)
    command, one = of_torchrun(tiny_bundle, "onnx")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = run_new(*launch, "-m", "ganzoo", *command)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("out: 300 images of seed 3")
    assert result.stdout.endswith("images/s\n")
    assert result.stdout.count("\n") == 1
    assert content(tmp_path / "out") == one


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_torchrun_again(tiny_bundle, tmp_path, monkeypatch, runtime):
    monkeypatch.chdir(tmp_path)
    command, one = of_torchrun(tiny_bundle, runtime)
    for line in ("images/s", "exist already"):
        status, out, errors = run_group(2, *command)
        assert status == 0, errors
        lines = out.splitlines()
        if line == "images/s":  # a process that starts late finds the shards of the other
            lines = [each for each in lines if not each.endswith("exist already")]
        assert len(lines) == 1, out
        assert lines[0].startswith("out: 300 images of seed 3")
        assert lines[0].endswith(line)
        assert content(tmp_path / "out") == one


def test_neither_torch_nor_tqdm_is_needed(tiny_bundle, tmp_path):
    code = """
import sys
from ganzoo.cli import main
status = main(sys.argv[1:])
assert not {"torch", "tqdm"} & set(sys.modules)
sys.exit(status)
"""
    arguments = ["sample", str(tiny_bundle), "-n", "40", "--out", str(tmp_path / "out")]
    result = run_new("-c", code, *arguments, "--runtime", "onnx")
    assert result.returncode == 0, result.stderr
    assert "40 images of seed 0" in result.stdout
    assert len(members(tmp_path / "out")) == 40


def test_only_process_0_shows_progress(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for rank in (1, 0):
        process = Process(rank, 2)
        sample_to(model, tmp_path, N, 3, shard_size=SIZE, process=process, progress=True)
        line = capsys.readouterr().err
        assert bool(line) is (rank == 0)
    assert "process 0: 320 of 320 images" in line, "shards 0, 2, 4, 6, and 8, the short one"
    assert "0:00:00 left" in line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 500}, "images 600, not 500"),
        ({"seed": 4}, "seed 3, not 4"),
        ({"shard_size": 80}, "shard_size 70, not 80"),
    ],
)
def test_other_settings_are_refused(model, whole, tmp_path, changes, message):
    settings = {"n": N, "seed": 3, "shard_size": SIZE}
    sample_to(model, tmp_path, **settings)
    with pytest.raises(OutputError, match=message):
        sample_to(model, tmp_path, **settings | changes)
    assert content(tmp_path) == whole


def test_another_model_of_the_same_name_is_refused(model, bundle, whole, tmp_path):
    sample_to(model, tmp_path / "out", N, 3, shard_size=SIZE)
    change_config(bundle, lambda config: config["provenance"].update(seed=99))
    with pytest.raises(OutputError, match="config_sha256"):
        sample_to(ganzoo.load(bundle, runtime="onnx"), tmp_path / "out", N, 3, shard_size=SIZE)
    assert content(tmp_path / "out") == whole


def test_another_label_is_refused(tmp_path):
    digits = ganzoo.load("cgan-mnist")
    sample_to(digits, tmp_path, 20, label="3")
    sample_to(digits, tmp_path, 20, label=3)
    with pytest.raises(OutputError, match="label 3, not None"):
        sample_to(digits, tmp_path, 20)


def test_the_index_states_a_file_by_name_and_content(model, tmp_path, monkeypatch):
    codes = model.codes(model.draw(3, seed=5))
    file = write_codes(tmp_path / "private" / "a.safetensors", codes, model.spec)
    options = {"sampler": "stored", "shard_size": 2}
    sample_to(model, tmp_path / "out", 3, options={"file": str(file)}, **options)
    text = (tmp_path / "out" / "index.json").read_text()
    assert json.loads(text)["sampler"] == {"sampler": "stored", "file": "a.safetensors"}
    assert json.loads(text)["sampler_files"] == {"file": sha256(file)}
    assert "private" not in text
    monkeypatch.chdir(file.parent)
    again = sample_to(model, tmp_path / "out", 3, options={"file": file.name}, **options)
    assert again.images == 0, "the same file by another path"
    write_codes(file, model.codes(model.draw(3, seed=6)), model.spec)
    with pytest.raises(OutputError, match="sampler_files"):
        sample_to(model, tmp_path / "out", 3, options={"file": file.name}, **options)


def test_numbers_of_numpy_are_options(model, tmp_path):
    options = {"sampler": "truncated-normal", "options": {"threshold": np.float32(0.7)}}
    assert sample_to(model, tmp_path, 2, **options).images == 2
    assert sample_to(model, tmp_path, 2, **options).images == 0
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["sampler"]["threshold"] == pytest.approx(0.7)


def test_a_folder_of_other_files_is_refused(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"contains other files, such as 'thesis.tex'"):
        sample_to(model, tmp_path, N)
    assert content(tmp_path) == {"thesis.tex": b"years of work"}
    with pytest.raises(OutputError, match="Choose a folder that is writable"):
        sample_to(model, tmp_path / "thesis.tex", N)
    (tmp_path / "index.json").write_text("[not ours")
    with pytest.raises(OutputError, match="contains images of other settings"):
        sample_to(model, tmp_path, N)


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        (["-n", "0"], {}, "cannot sample 0 images"),
        (["-n", "2000000000"], {}, "n is 1 to 1,000,000,000"),
        (["--shard-size", "0"], {}, "cannot put 0 images in a shard"),
        (["--seed", "-1"], {}, "seed is -1"),
        (["--label", "3"], {}, "has no classes. Omit the label"),
        (["-o", "grid.png"], {}, "exclude each other"),
        ([], {"RANK": "2", "WORLD_SIZE": "2"}, "RANK is 2, WORLD_SIZE is 2"),
        ([], {"RANK": "one", "WORLD_SIZE": "2"}, "each is a whole number"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, monkeypatch, capsys, options, environment, message):
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["sample", "dcgan-mnist", "--out", "out", *options]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_translator_is_refused(tmp_path, monkeypatch, capsys):
    size = ImageSpec(8, 8, 1)
    data = DataSpec(size, condition=size)
    spec = ModelSpec("copy", "copy", {}, (), data, None, inputs=("condition",))
    monkeypatch.setattr("ganzoo.zoo.load", lambda *_, **__: wrap(spec, torch.nn.Identity()))
    assert main(["sample", "copy", "--out", str(tmp_path / "out")]) == 1
    assert "ganzoo translate copy FILE" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_shard_size_without_shards_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sample", "dcgan-mnist", "--shard-size", "10"]) == 1
    assert "Add --out DIR" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_rank_out_of_range_is_refused():
    for wrong in ((1, 1, 0), (-1, 2, 0), (0, 0, 0), (0, 1, -1)):
        with pytest.raises(SampleError, match="Let torchrun set"):
            Process(*wrong)


def test_a_full_disk_is_one_clear_line(tiny_bundle, whole, tmp_path):
    """File sizes are limited: the index fits, a shard does not."""
    code = """
import resource, signal, sys
from ganzoo.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(sys.argv[1:]))
"""
    settings = ["-n", str(N), "--seed", "3", "--shard-size", str(SIZE), "--runtime", "onnx"]
    command = ["sample", str(tiny_bundle), *settings, "--out", str(tmp_path / "out")]
    result = run_python(code, *command)
    assert result.returncode == 1
    assert "File too large. Choose a folder that is writable and has free space" in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(content(tmp_path / "out")) == [".unfinished", "index.json"]
    assert run_cli(*command).returncode == 0
    assert content(tmp_path / "out") == whole


def test_the_command_line_writes_the_same_shards(tiny_bundle, whole, tmp_path):
    """A launcher can also start the processes one after the other."""
    settings = ["-n", N, "--seed", 3, "--shard-size", SIZE, "--runtime", "onnx"]
    command = ["sample", tiny_bundle, *settings, "--out", tmp_path]
    for rank, output in ((1, ""), (0, f"{tmp_path}: 600 images of seed 3, ")):
        environment = {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
        result = run_cli(*map(str, command), env=environment)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(output)
        assert bool(result.stdout) is bool(output)
    assert content(tmp_path) == whole


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_each_process_uses_its_gpu(tiny_bundle, tmp_path):
    model = ganzoo.load(tiny_bundle)
    model.accelerate(torch.cuda.device_count())  # more processes than GPUs share them
    assert next(model.parameters()).device == torch.device("cuda", 0)
    sample_to(model, tmp_path / "a", N, 3, shard_size=SIZE)
    for rank in (1, 0):
        sample_to(model, tmp_path / "b", N, 3, shard_size=SIZE, process=Process(rank, 2))
    assert content(tmp_path / "a") == content(tmp_path / "b")
