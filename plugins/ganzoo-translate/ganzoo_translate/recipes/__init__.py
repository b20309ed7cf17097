"""Recipes. Each is a TOML file in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

cyclegan = _HERE / "cyclegan.toml"
pix2pix_lineart = _HERE / "pix2pix-lineart.toml"
pix2pix_openmoji = _HERE / "pix2pix-openmoji.toml"
pix2pix_pairs = _HERE / "pix2pix-pairs.toml"
