"""Pretrained bundles that ship with the package."""

from pathlib import Path

_HERE = Path(__file__).parent

stylegan2_mnist = _HERE / "stylegan2-mnist"
stylegan2_tinyhero = _HERE / "stylegan2-tinyhero"
