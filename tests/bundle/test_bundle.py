"""Damaged and inconsistent bundles: each is refused with one clear error."""

import errno
import json
import os
import pickle
import shutil
import signal
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

import ganzoo
from ganzoo.bundle import amend_bundle, open_bundle, read_checksums
from ganzoo.bundle.location import open_folder
from ganzoo.errors import (
    BundleError,
    GanzooError,
    MissingPluginError,
    NameSyntaxError,
    NotABundleError,
    RunNotFoundError,
    UnknownNameError,
    as_folder,
)
from helpers.bundles import change_config, rehash
from helpers.processes import run_python

RUNTIMES = ["onnx", "torch"]


def refusal(bundle, error=BundleError, runtimes=RUNTIMES):
    texts = []
    for runtime in runtimes:
        with pytest.raises(error) as excinfo:
            ganzoo.load(bundle, runtime=runtime)
        texts.append(str(excinfo.value))
    return texts[0] if len(set(texts)) == 1 else texts


def test_a_missing_folder_suggests_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "runs" / "first").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for load in (ganzoo.load, ganzoo.export):
        with pytest.raises(GanzooError, match=r"Did you mean 'runs/first'\?") as error:
            load("./runs/frist")
        assert "hf" not in str(error.value)


def test_paths_in_the_next_command_are_words_of_a_shell(tmp_path):
    folder = tmp_path / "my run"
    folder.mkdir()
    (folder / "recipe.toml").touch()
    (folder / "run.json").touch()
    with pytest.raises(RunNotFoundError, match=r"ganzoo train --resume '/.*/my run'$"):
        open_folder(folder)
    assert as_folder(Path("a b")) == "'./a b'"
    assert as_folder(Path("ab")) == "./ab"


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'dcgan-mnist'"):
        ganzoo.load("dcgan-mnits")
    with pytest.raises(NameSyntaxError):
        ganzoo.load("DCGAN on MNIST")


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    with pytest.raises(NotABundleError, match="does not exist"):
        ganzoo.load(tmp_path / "absent")
    with pytest.raises(NotABundleError, match=r"contains no config\.json"):
        ganzoo.load(str(tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotABundleError, match="is a file"):
        ganzoo.load(tmp_path / "file")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "model.onnx", "samples.png"])
def test_a_wrong_checksum_is_refused(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    assert f"{name} does not match its checksum" in refusal(bundle)


def test_checksums_that_do_not_match_are_refused(bundle):
    sums = (bundle / "SHA256SUMS").read_text()
    for text, message in [
        (sums + "oops\n", "is not '<sha256>  <file>'"),
        (sums + f"{'0' * 64}  ../../etc/passwd\n", "is not a valid file name in a bundle"),
        (sums + sums.splitlines()[0] + "\n", "twice"),
        (sums + f"{'0' * 64}  absent.txt\n", "lacks absent.txt"),
        (
            "".join(x + "\n" for x in sums.splitlines() if "onnx" not in x),
            "no checksum of model.onnx",
        ),
        ("", "has no checksum of config.json, model.onnx, model.safetensors"),
    ]:
        (bundle / "SHA256SUMS").write_text(text)
        assert message in refusal(bundle)
    (bundle / "SHA256SUMS").unlink()
    assert "so its files cannot be verified" in refusal(bundle)


def test_missing_weights_are_refused(bundle):
    (bundle / "model.safetensors").unlink()
    rehash(bundle)
    assert "model.safetensors" in refusal(bundle)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_safetensors_file_is_refused(bundle, keep):
    content = (bundle / "model.safetensors").read_bytes()
    (bundle / "model.safetensors").write_bytes(content[:keep])
    assert "does not match its checksum" in refusal(bundle)
    rehash(bundle)
    assert "is not a complete safetensors file" in refusal(bundle, runtimes=["torch"])


def test_a_pickle_renamed_to_safetensors_is_not_run(bundle, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (bundle / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    rehash(bundle)
    assert "is not a complete safetensors file" in refusal(bundle, runtimes=["torch"])
    torch.save({"x": torch.zeros(1)}, bundle / "model.safetensors")
    rehash(bundle)
    assert "is not a complete safetensors file" in refusal(bundle, runtimes=["torch"])
    assert not (tmp_path / "ran").exists()


def test_an_oversized_header_is_refused(bundle):
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**9, 10**6], "data_offsets": [0, 4]}})
    data = struct.pack("<Q", len(header)) + header.encode() + b"\0" * 4
    (bundle / "model.safetensors").write_bytes(data)
    rehash(bundle)
    assert "is not a complete safetensors file" in refusal(bundle, runtimes=["torch"])


@pytest.mark.parametrize("text", ["", "{", "[]", "\x80\x81", "null"])
def test_a_config_that_is_not_json(bundle, text):
    (bundle / "config.json").write_text(text, encoding="latin-1")
    rehash(bundle)
    assert "config.json is not a valid ganzoo config" in refusal(bundle)


def test_a_config_with_an_unknown_field(bundle):
    change_config(bundle, lambda c: c.update(trust_remote_code=True))
    assert "there is no field 'trust_remote_code'" in refusal(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["data"]["image"].update(height=10**6, width=10**6),
        lambda c: c["latent"].update(dim=10**9),
        lambda c: c["data"].update(classes=10**12),
    ],
)
def test_absurd_sizes_are_refused_by_both_runtimes(bundle, change):
    change_config(bundle, change)
    assert "it must be between" in refusal(bundle)


def test_absurd_arguments_are_refused_before_allocation(bundle):
    def change(config):
        config["arguments"]["width"] = 50_000_000  # terabytes of weights

    change_config(bundle, change)
    tensors = load_file(bundle / "model.safetensors")
    config = (bundle / "config.json").read_text()
    save_file(tensors, bundle / "model.safetensors", {"ganzoo.config": config})
    rehash(bundle)
    text = refusal(bundle, runtimes=["torch"])
    assert "does not fit config.json: tensor" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["arguments"].update(width=8), "describe different models"),
        (lambda c: c["arguments"].update(latent_dim=9), "describe different models"),
        (lambda c: c.update(architecture="mlp"), "describe different models"),
        (lambda c: c["data"]["image"].update(height=17, width=17), "describe different models"),
    ],
)
def test_a_config_of_another_model_is_refused(bundle, change, message):
    change_config(bundle, change)
    assert all(message in text for text in refusal(bundle))


def test_weights_of_another_network_are_refused(bundle):
    config = (bundle / "config.json").read_text()
    tensors = load_file(bundle / "model.safetensors")
    name = min(tensors)
    for changed in (
        {k: v for k, v in tensors.items() if k != name},
        tensors | {"surplus": torch.zeros(1)},
        tensors | {name: torch.zeros(3)},
    ):
        save_file(changed, bundle / "model.safetensors", {"ganzoo.config": config})
        rehash(bundle)
        assert "does not fit config.json: tensor" in refusal(bundle, runtimes=["torch"])
    save_file(tensors, bundle / "model.safetensors")
    rehash(bundle)
    assert "contains no ganzoo config" in refusal(bundle, runtimes=["torch"])


def test_an_onnx_with_other_inputs_is_refused(bundle):
    config = (bundle / "config.json").read_text()
    path = bundle / "model.onnx"
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    rehash(bundle)
    assert "contains no ganzoo config" in refusal(bundle, runtimes=["onnx"])

    z = onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["batch", 8])
    images = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["batch", 8])
    node = onnx.helper.make_node("Tanh", ["z"], ["images"])
    graph = onnx.helper.make_graph([node], "g", [z], [images])
    opset = [onnx.helper.make_opsetid("", 20)]
    other = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.helper.set_model_props(other, {"ganzoo.config": config})
    onnx.save(other, path)
    rehash(bundle)
    assert "does not match config.json: it maps" in refusal(bundle, runtimes=["onnx"])

    path.write_bytes(b"not onnx")
    rehash(bundle)
    assert "is not an ONNX file that ganzoo runs: its model has" in refusal(
        bundle, runtimes=["onnx"]
    )


def test_an_onnx_with_external_files_is_refused(bundle, tmp_path):
    """External data could otherwise be any file of the reader's machine."""
    config = (bundle / "config.json").read_text()
    (tmp_path / "secret").write_bytes(np.arange(8, dtype=np.float32).tobytes())
    shutil.copyfile(tmp_path / "secret", bundle / "secret")
    model = onnx.load(bundle / "model.onnx")
    tensor = max(model.graph.initializer, key=lambda t: len(t.raw_data))
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    where = tensor.external_data.add(key="location", value="")
    onnx.helper.set_model_props(model, {"ganzoo.config": config})
    for place in ("../secret", str(tmp_path / "secret"), "secret"):  # nor unlisted files
        where.value = place
        (bundle / "model.onnx").write_bytes(model.SerializeToString())
        rehash(bundle)
        assert "it has data in other files" in refusal(bundle, runtimes=["onnx"])
    del tensor.external_data[:]  # which onnxruntime would search in a file without a name
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    rehash(bundle)
    assert "it has data in other files" in refusal(bundle, runtimes=["onnx"])


def test_a_missing_plugin_is_named(bundle):
    def change(config):
        config.update(architecture="sagan", requires=["acme-gans>=0.3"])

    change_config(bundle, change)
    config = (bundle / "config.json").read_text()
    save_file(
        load_file(bundle / "model.safetensors"),
        bundle / "model.safetensors",
        {"ganzoo.config": config},
    )
    model = onnx.load(bundle / "model.onnx")
    onnx.helper.set_model_props(model, {"ganzoo.config": config})
    onnx.save(model, bundle / "model.onnx")
    rehash(bundle)
    with pytest.raises(MissingPluginError, match=r"pip install 'acme-gans>=0\.3'.*runtime='onnx'"):
        ganzoo.load(bundle, runtime="torch")
    assert ganzoo.load(bundle, runtime="onnx").sample(1), "the onnx runtime needs no plugin"


def test_a_bundle_can_be_moved_and_renamed(bundle, tmp_path):
    moved = shutil.move(bundle, tmp_path / "elsewhere")
    assert ganzoo.load(f"{moved}/").spec.name == "tiny"


AMEND = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from ganzoo.bundle import amend_bundle, open_bundle

bundle, writes, kept = open_bundle(Path(sys.argv[1])), int(sys.argv[2]), os.fsync

def fsync(file):
    global writes
    writes -= 1
    if writes < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    kept(file)

os.fsync = fsync  # of every file that is written
spec = replace(bundle.spec, provenance=bundle.spec.provenance | {"note": "amended"})
amend_bundle(bundle, spec, {"README.md": "# amended\\n", "training/more.txt": "more"})
"""


def test_a_killed_amendment_leaves_the_bundle_unchanged(bundle):
    (bundle / "notes" / "deep").mkdir(parents=True)
    (bundle / "notes" / "deep" / "mine.txt").write_text("mine")
    before = open_bundle(bundle).spec
    card = (bundle / "README.md").read_text()
    for writes in range(4):
        assert run_python(AMEND, str(bundle), str(writes)).returncode == -signal.SIGKILL
        assert open_bundle(bundle).spec == before
        assert (bundle / "README.md").read_text() == card
        assert not (bundle / "training" / "more.txt").exists()
    done = run_python(AMEND, str(bundle), "9")
    assert done.returncode == 0, done.stderr
    amended = open_bundle(bundle)
    assert amended.spec.provenance == before.provenance | {"note": "amended"}
    assert (bundle / "README.md").read_text() == "# amended\n"
    assert "training/more.txt" in read_checksums(bundle)
    assert "README.md" not in read_checksums(bundle)
    assert "notes/deep/mine.txt" not in read_checksums(bundle)
    assert (bundle / "notes" / "deep" / "mine.txt").read_text() == "mine"
    assert ganzoo.load(bundle, runtime="onnx").sample(1)


def test_a_bundle_is_amended_through_symlinks_and_without_hard_links(bundle, tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, "no such links here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "link").symlink_to(bundle)
    monkeypatch.chdir(bundle)
    for place in (tmp_path / "link", Path(".")):
        before = open_bundle(place)
        amend_bundle(before, before.spec, {"README.md": f"# of {place}\n"})
        assert (bundle / "README.md").read_text() == f"# of {place}\n"
        assert open_bundle(bundle).spec == before.spec
        monkeypatch.chdir(bundle)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "link"]


def test_a_registered_name_in_place_of_a_folder():
    with pytest.raises(NotABundleError, match=r"'gan-mnist' belongs to the package that registers"):
        open_folder(Path("gan-mnist"))
