"""Paths and addresses of checkpoints, and what else lies beside them."""

import codecs
import json

import pytest
import torch

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import ImportFileError, NameSyntaxError, NotABundleError, UnknownNameError
from ganzoo.importers import locate, open_checkpoint


@pytest.fixture
def file(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "net.pth")
    return tmp_path / "net.pth"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://huggingface.co/org/repo/blob/main/net.pkl", "hf://org/repo/net.pkl"),
        (
            "https://huggingface.co/org/repo/resolve/v1/a/b.pt?download=true",
            "hf://org/repo/a/b.pt@v1",
        ),
        ("org/repo/net.pkl", "hf://org/repo/net.pkl"),
    ],
)
def test_a_file_of_the_hub_gets_its_address(text, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportFileError, match=f"file not found: .*, use {name}$"):
        locate(text)


def test_other_addresses_and_paths(file, monkeypatch):
    with pytest.raises(ImportFileError, match="from the Hub alone. Download the file"):
        locate("https://example.com/net.pkl")
    for wrong in ("~nobody-here/net.pkl", "a" * 300):
        with pytest.raises(ImportFileError, match="cannot find"):
            locate(wrong)
    monkeypatch.setenv("HOME", str(file.parent))
    assert locate("~/net.pth") == (file, "")


def test_a_checkpoint_in_place_of_a_model_is_sent_to_the_import(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, error in {
        "./net.pth": NotABundleError,
        "net.pth": UnknownNameError,
        "Net_1.pth": NameSyntaxError,
    }.items():
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(error, match=f"use: ganzoo import {name.removeprefix('./')} -o OUT"):
            ganzoo.load(name)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ganzoo.errors.BundleError, match=r"convert it: ganzoo import "):
        ganzoo.load(tmp_path)


def test_a_file_of_a_bundle_in_place_of_the_folder(tiny_bundle, monkeypatch):
    with pytest.raises(NotABundleError, match=f"Pass its folder: {tiny_bundle}$"):
        ganzoo.load(tiny_bundle / "model.onnx")
    monkeypatch.chdir(tiny_bundle.parent)
    with pytest.raises(NotABundleError, match=f"Pass its folder: ./{tiny_bundle.name}$"):
        ganzoo.load(f"{tiny_bundle.name}/config.json")


@pytest.mark.parametrize("content", [b"[1]", b"{", b" " * (2**20 + 1), b"\xff"])
def test_a_config_of_something_else_does_not_matter(file, content, capsys):
    (file.parent / "config.json").write_bytes(content)
    with pytest.warns(UserWarning, match="the config beside the checkpoint is not used: .*json"):
        assert open_checkpoint(file).config == {}
    assert main(["import", str(file), "--inspect"]) == 0
    assert "warning: the config beside" in capsys.readouterr().err
    file.rename(file.with_name("pytorch_model.bin"))
    with pytest.raises(ImportFileError, match=r"config\.json"):
        open_checkpoint(file.parent)


def test_a_config_may_have_a_byte_order_mark(file):
    text = codecs.BOM_UTF8 + json.dumps({"size": 3}).encode()
    (file.parent / "config.json").write_bytes(text)
    assert open_checkpoint(file).config == {"size": 3}
