"""Bundles small enough to ship."""

from pathlib import Path

_HERE = Path(__file__).parent

pix2pix_openmoji = _HERE / "pix2pix-openmoji"
