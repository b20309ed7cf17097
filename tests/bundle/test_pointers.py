"""A pointer of git-lfs in place of any file is named, with what to type."""

import pytest
import torch
from safetensors.torch import save_file

import ganzoo
from ganzoo import cards, plots
from ganzoo.builtin.datasets.celeba import celeba
from ganzoo.builtin.datasets.vision import mnist
from ganzoo.builtin.datasets.webdataset import webdataset
from ganzoo.bundle import open_bundle
from ganzoo.demo.cards import card
from ganzoo.errors import CardError, DataError, ImportFileError, PlotError, RecipeError
from ganzoo.importers import open_checkpoint
from ganzoo.spec import Recipe
from ganzoo.spec.lfs import explain_pointer

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"


def read_mnist(file):
    folder = file.parent / "MNIST" / "raw"
    folder.mkdir(parents=True)
    file.rename(folder / "train-images-idx3-ubyte")
    mnist(file.parent)


def read_celeba(file):
    (file.parent / "celeba").mkdir()
    file.rename(file.parent / "celeba" / "list_eval_partition.txt")
    celeba(file.parent)


def read_list(file):
    webdataset(None, urls=(str(file),))


def read_card_at(file):
    cards.read(file.rename(file.with_name("README.md")).parent)


def read_run_log(file):
    plots.read_log(file.rename(file.with_name("log.jsonl")).parent)


def import_beside_weights(file):
    file.rename(file.with_name("config.json"))
    save_file({"a": torch.ones(2)}, file.with_name("model.safetensors"))
    open_checkpoint(file.parent)


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (Recipe.from_toml, RecipeError),
        (read_mnist, DataError),
        (read_celeba, DataError),
        (read_list, DataError),
        (read_card_at, CardError),
        (read_run_log, PlotError),
        (open_checkpoint, ImportFileError),
        (import_beside_weights, ImportFileError),
    ],
)
def test_every_reader_of_files_names_a_pointer(tmp_path, read, kind):
    file = tmp_path / "file.toml"
    file.write_text(POINTER)
    with pytest.raises(kind, match="is a git-lfs pointer, not the file itself.* lfs pull`"):
        read(file)


def test_a_card_that_is_a_pointer_is_never_overwritten_or_shown(bundle):
    (bundle / "README.md").write_text(POINTER)
    with pytest.raises(CardError, match=r"README\.md is a git-lfs pointer"):
        cards.write(bundle)
    assert ganzoo.load(bundle, runtime="onnx"), "a model runs without its card"
    assert "git-lfs" not in card("./x", open_bundle(bundle)), "the demo generates one"


def test_a_text_that_begins_like_a_pointer_is_none(tmp_path):
    (tmp_path / "a").write_text(POINTER + "x" * 1024)
    assert explain_pointer(tmp_path / "a") == ""
    assert explain_pointer(tmp_path) == explain_pointer(tmp_path / "missing") == ""
