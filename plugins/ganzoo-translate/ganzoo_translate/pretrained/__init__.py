"""Bundles that ship with the package, about 5 MB for each runtime."""

from pathlib import Path

_HERE = Path(__file__).parent

pix2pix_openmoji = _HERE / "pix2pix-openmoji"
