"""A key that JSON has twice is refused in every file: two parsers may read different values."""

import json
import os

import pytest
import torch
from safetensors.torch import load_file, save, save_file

import ganzoo
from ganzoo.bundle import open_bundle
from ganzoo.bundle.json_lines import cut_back, read_lines
from ganzoo.bundle.sealing import check_seal, seal
from ganzoo.bundle.tensors import open_tensors, read_header
from ganzoo.data.run_data import RunData
from ganzoo.errors import BundleError, ImportFileError, OutputError
from ganzoo.importers import open_checkpoint
from ganzoo.sampling.shards import sample_to
from helpers.bundles import rehash


def repeated(text, name):
    """A JSON text with another value of one of its keys."""
    assert f'"{name}": ' in text
    return text.replace(f'"{name}": ', f'"{name}": "other", "{name}": ', 1)


def repeat_in_header(file, name, value):
    """Insert a key with another value before the others of a safetensors file's header."""
    content = file.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little")
    header = f'{{"{name}":{json.dumps(value)},'.encode() + content[9:length]
    file.write_bytes(len(header).to_bytes(8, "little") + header + content[length:])


@pytest.mark.parametrize("name", ["name", "dim", "license", "seed"])
def test_in_a_config(bundle, name):
    config = bundle / "config.json"
    config.write_text(repeated(config.read_text(), name))
    rehash(bundle)
    with pytest.raises(BundleError, match=f"config: it has the key '{name}' more than once"):
        open_bundle(bundle)


def test_in_the_config_of_the_weights(bundle):
    text = repeated((bundle / "config.json").read_text(), "architecture")
    weights = bundle / "model.safetensors"
    save_file(load_file(weights), weights, {"ganzoo.config": text})
    rehash(bundle)
    with pytest.raises(BundleError, match=r"the config inside .* 'architecture' more than once"):
        ganzoo.load(bundle, runtime="torch")


def test_in_the_header_of_the_weights(bundle):
    weights = bundle / "model.safetensors"
    name = next(iter(load_file(weights)))
    repeat_in_header(weights, name, {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})
    assert load_file(weights)[name].numel(), "the library takes the last value"
    rehash(bundle)
    with pytest.raises(BundleError, match=f"has the key '{name}' more than once"):
        ganzoo.load(bundle, runtime="torch")
    with pytest.raises(BundleError, match="more than once"), open_tensors(weights):
        pass
    with pytest.raises(BundleError, match="more than once"):
        read_header(weights)


def test_in_a_checkpoint(tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"".join(seal(save({"a": torch.ones(2)}))))
    check_seal(file)
    repeat_in_header(file, "a", {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})
    with pytest.raises(ValueError, match="it has the key 'a' more than once"):
        check_seal(file)


def test_in_a_checkpoint_of_another_project(tmp_path):
    file = tmp_path / "model.safetensors"
    save_file({"a": torch.ones(2)}, file)
    (tmp_path / "config.json").write_text('{"dim": 8, "dim": 9}')
    with pytest.raises(ImportFileError, match=r"config\.json is not valid JSON: .*'dim' more than"):
        open_checkpoint(tmp_path)
    repeat_in_header(file, "a", {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})
    with pytest.raises(ImportFileError, match="header is not valid JSON: .*'a' more than once"):
        open_checkpoint(file)


def test_in_a_line_of_a_log(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"images": 1, "images": 2}\n{"images": 3}\n')
    with pytest.warns(UserWarning, match="line 1 of .* is damaged and skipped"):
        assert read_lines(log) == [{"images": 3}]
    with pytest.warns(UserWarning, match="line 1 of .* is damaged"):
        cut_back(log, 9)
    assert log.read_text() == '{"images": 3}\n'


def test_in_the_data_of_a_run(tmp_path):
    RunData("/data", 5, "a", "b").write(tmp_path)
    file = tmp_path / "run.json"
    file.write_text(repeated(file.read_text(), "folder"))
    with pytest.warns(UserWarning, match=r"run\.json: it has the key 'folder' more than once"):
        assert RunData.read(tmp_path) is None


def test_in_the_index_of_shards_which_may_be_a_pipe(tiny_bundle, tmp_path):
    model = ganzoo.load(tiny_bundle)
    sample_to(model, tmp_path, 4)
    index = tmp_path / "index.json"
    index.write_text(repeated(index.read_text(), "images"))
    with pytest.raises(OutputError, match=r"contains images of other settings: its index\.json"):
        sample_to(model, tmp_path, 4)
    index.unlink()
    os.mkfifo(index)
    with pytest.raises(OutputError, match=r"index\.json is not a file"):
        sample_to(model, tmp_path, 4)
