"""Recipes. Each is a TOML file in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

esrgan = _HERE / "esrgan.toml"
esrgan_emoji = _HERE / "esrgan-emoji.toml"
rrdbnet = _HERE / "rrdbnet.toml"
rrdbnet_emoji = _HERE / "rrdbnet-emoji.toml"
srgan = _HERE / "srgan.toml"
srresnet = _HERE / "srresnet.toml"
