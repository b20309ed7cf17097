"""Recipes. Each is a TOML file in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

esrgan = _HERE / "esrgan.toml"
rrdbnet = _HERE / "rrdbnet.toml"
srgan = _HERE / "srgan.toml"
srresnet = _HERE / "srresnet.toml"
