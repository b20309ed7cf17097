"""Recipes: the TOML files in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

r3gan_32 = _HERE / "r3gan-32.toml"
r3gan_64 = _HERE / "r3gan-64.toml"
r3gan_mnist = _HERE / "r3gan-mnist.toml"
r3gan_tinyhero = _HERE / "r3gan-tinyhero.toml"
