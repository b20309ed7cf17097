"""Recipes, one TOML file each; the file's name is the model's."""

from pathlib import Path

_HERE = Path(__file__).parent

dcgan_digits = _HERE / "dcgan-digits.toml"
dcgan_mnist = _HERE / "dcgan-mnist.toml"
