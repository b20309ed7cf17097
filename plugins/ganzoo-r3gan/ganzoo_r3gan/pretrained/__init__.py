"""Pretrained bundles that ship with the package."""

from pathlib import Path

_HERE = Path(__file__).parent

r3gan_mnist = _HERE / "r3gan-mnist"
r3gan_tinyhero = _HERE / "r3gan-tinyhero"
