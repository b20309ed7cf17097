"""Bundles small enough to ship."""

from pathlib import Path

_HERE = Path(__file__).parent

dcgan_mnist = _HERE / "dcgan-mnist"
