"""Bundles small enough to ship."""

from pathlib import Path

stylegan2_mnist = Path(__file__).parent / "stylegan2-mnist"
