"""Bundles small enough to ship.

A U-Net has many weights: 5 MB for each runtime, so that it loads by its name without a network.
"""

from pathlib import Path

_HERE = Path(__file__).parent

pix2pix_openmoji = _HERE / "pix2pix-openmoji"
