"""Recipes: the TOML files in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

stylegan2_64 = _HERE / "stylegan2-64.toml"
stylegan2_mnist = _HERE / "stylegan2-mnist.toml"
stylegan2_small_data = _HERE / "stylegan2-small-data.toml"
stylegan2_tinyhero = _HERE / "stylegan2-tinyhero.toml"
