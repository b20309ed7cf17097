"""Bundles small enough to ship."""

from pathlib import Path

r3gan_mnist = Path(__file__).parent / "r3gan-mnist"
