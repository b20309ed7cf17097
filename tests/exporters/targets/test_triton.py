"""The model repository of `export --for triton`, checked with Triton's schema."""

import importlib.util
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from google.protobuf import text_format

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import BundleError, OutputError
from ganzoo.exporters.targets.triton import MAX_BATCH, write_triton
from ganzoo.exporters.targets.web import write_web
from ganzoo.sampling import latents
from ganzoo.zoo import find
from helpers.bundles import rehash
from helpers.processes import run_new

NUMBERS = {"tensor(float)": "TYPE_FP32", "tensor(int64)": "TYPE_INT64"}


@pytest.fixture(scope="module")
def definition():
    """Return the protobuf module of ModelConfig, without the clients that import gRPC."""
    client = importlib.util.find_spec("tritonclient")
    if client is None:
        pytest.skip("needs tritonclient")
    file = Path(client.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(definition, folder):
    return text_format.Parse((folder / "config.pbtxt").read_text(), definition.ModelConfig())


@pytest.mark.parametrize("name", ["dcgan-mnist", "cgan-mnist", "vae-mnist"])
def test_the_config_describes_inputs_and_outputs(definition, tmp_path, name):
    versions = write_triton(find(name), tmp_path)
    roles = ganzoo.info(name).roles
    assert len(versions) == len(roles)
    for role, version in zip(roles, versions, strict=True):
        folder = version.parent
        assert folder.name == (name if role == "generator" else f"{name}-{role}")
        config = read(definition, folder)
        assert config.name == folder.name
        assert config.backend == "onnxruntime"
        assert config.max_batch_size == MAX_BATCH
        assert config.HasField("dynamic_batching")
        assert [group.kind for group in config.instance_group] == [
            definition.ModelInstanceGroup.KIND_AUTO
        ]
        session = onnxruntime.InferenceSession(
            version / "model.onnx", providers=["CPUExecutionProvider"]
        )
        for tensors, real in (
            (config.input, session.get_inputs()),
            (config.output, session.get_outputs()),
        ):
            assert [each.name for each in tensors] == [each.name for each in real]
            for each, tensor in zip(tensors, real, strict=True):
                assert definition.DataType.Name(each.data_type) == NUMBERS[tensor.type]
                shape = each.reshape.shape if each.HasField("reshape") else each.dims
                assert ["batch", *shape] == tensor.shape
                assert np.prod(shape) == np.prod(each.dims), "a reshape keeps the numbers"


def test_the_exported_network_gives_the_same_images(tmp_path):
    (version,) = write_triton(find("cgan-mnist"), tmp_path)
    session = onnxruntime.InferenceSession(
        version / "model.onnx", providers=["CPUExecutionProvider"]
    )
    inputs = {"z": latents.normal(0, 16, 100), "y": np.arange(16) % 10}
    (images,) = session.run(None, inputs)
    expected = ganzoo.load("cgan-mnist", runtime="onnx").sample(16).numpy()
    assert np.abs(np.rint((images[:, 0] + 1) * 127.5) - expected[..., 0]).max() <= 1


def test_a_changed_model_is_a_new_version_and_an_edited_config_stays(tmp_path):
    (first,) = write_triton(find("dcgan-mnist"), tmp_path)
    assert first.name == "1"
    assert write_triton(find("dcgan-mnist"), tmp_path) == [first], "nothing is new"
    config = tmp_path / "dcgan-mnist" / "config.pbtxt"
    edited_config = config.read_text().replace("count: 1", "count: 2")
    config.write_text(edited_config)
    assert (
        main(
            ["export", "dcgan-mnist", "--for", "triton", "--precision", "int8", "-o", str(tmp_path)]
        )
        == 0
    )
    assert sorted(p.name for p in config.parent.iterdir()) == ["1", "2", "config.pbtxt"]
    assert config.read_text() == edited_config
    sizes = [(config.parent / v / "model.onnx").stat().st_size for v in "12"]
    assert sizes[1] < 0.6 * sizes[0]


def test_a_model_with_other_inputs_is_not_replaced(tiny_bundle, tmp_path):
    write_triton(find(tiny_bundle), tmp_path)
    config = tmp_path / "tiny" / "config.pbtxt"
    config.write_text(config.read_text().replace("dims: [ 8 ]", "dims: [ 9 ]"))
    with pytest.raises(BundleError, match="other inputs, outputs or classes"):
        write_triton(find(tiny_bundle), tmp_path)


def test_a_model_with_other_classes_is_not_replaced(tmp_path):
    """Clients send numbers, so a new order of classes would give them other images."""
    bundle = find("cgan-mnist")
    data = replace(bundle.spec.data, labels=bundle.spec.data.labels[::-1])
    other = replace(bundle, spec=replace(bundle.spec, data=data))
    (first,) = write_triton(bundle, tmp_path)
    with pytest.raises(BundleError, match="other inputs, outputs or classes"):
        write_triton(other, tmp_path)
    config = first.parent / "config.pbtxt"
    config.write_text("".join(x for x in config.open() if not x.startswith("#")))
    assert write_triton(other, tmp_path) == [first], "the user removed the comments"


def test_a_graph_that_no_runtime_of_ours_would_run_is_not_written(tiny_bundle, tmp_path):
    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, bundle)
    with (bundle / "model.onnx").open("ab") as file:
        file.write(b"\xba\x80\x80\x80\x80\x02\x00")  # field 7 for parsers of 32 bits
    rehash(bundle)
    for write in (write_triton, partial(write_web, cdn=True)):
        with pytest.raises(BundleError, match="not an ONNX file that ganzoo runs"):
            write(find(bundle), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_file_failures_are_one_error(tiny_run, tiny_bundle, tmp_path):
    with pytest.raises(BundleError, match="has no model.onnx. Write it with `ganzoo export"):
        write_triton(find(tiny_run / "bundle"), tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError):
        write_triton(find(tiny_bundle), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_command_line_prints_how_to_serve(tiny_bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(tiny_bundle), "--for", "triton"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(Path("tiny-triton", "tiny", "1"))
    assert f"tritonserver --model-repository {tmp_path / 'tiny-triton'}" in out
    assert main(["export", "dcgan-mnst", "--for", "triton"]) == 1
    assert "Did you mean 'dcgan-mnist'" in capsys.readouterr().err


def test_exports_need_no_torch(tmp_path):
    code = """
import sys
class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, WithoutTorch())
from ganzoo.cli import main
for how in (["--for", "triton", "-o", "models"], ["--for", "web-cdn", "-o", "page"]):
    assert main(["export", "dcgan-mnist", *how]) == 0
assert main(["export", "dcgan-mnist", "--for", "web-cdn", "--precision", "int8"]) == 1
"""
    result = run_new("-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "pip install '.[train]'" in result.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"models", "page"}
