"""Recipes: the TOML files in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

stylegan3_t_64 = _HERE / "stylegan3-t-64.toml"
