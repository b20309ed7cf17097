"""Recipes. Each is a TOML file in this folder.

In a description, the length of the training follows a colon. `ganzoo train` removes this part if
an option changes the length.
"""

from pathlib import Path

_HERE = Path(__file__).parent

ae_mnist = _HERE / "ae-mnist.toml"
ae2d_mnist = _HERE / "ae2d-mnist.toml"
cgan_mnist = _HERE / "cgan-mnist.toml"
dcgan_digits = _HERE / "dcgan-digits.toml"
dcgan_faces = _HERE / "dcgan-faces.toml"
dcgan_fashion = _HERE / "dcgan-fashion.toml"
dcgan_mnist = _HERE / "dcgan-mnist.toml"
dcgan_paper_mnist = _HERE / "dcgan-paper-mnist.toml"
dcgan_small = _HERE / "dcgan-small.toml"
gan_mnist = _HERE / "gan-mnist.toml"
vae_mnist = _HERE / "vae-mnist.toml"
vae2d_mnist = _HERE / "vae2d-mnist.toml"
wgan_gp_mnist = _HERE / "wgan-gp-mnist.toml"
wgan_mnist = _HERE / "wgan-mnist.toml"
