"""Recipes: the TOML files in this folder."""

from pathlib import Path

fastgan = Path(__file__).parent / "fastgan.toml"
