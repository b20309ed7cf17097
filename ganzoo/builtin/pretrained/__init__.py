"""Bundles small enough to ship."""

from pathlib import Path

_HERE = Path(__file__).parent

ae_mnist = _HERE / "ae-mnist"
ae2d_mnist = _HERE / "ae2d-mnist"
cgan_mnist = _HERE / "cgan-mnist"
dcgan_fashion = _HERE / "dcgan-fashion"
dcgan_mnist = _HERE / "dcgan-mnist"
dcgan_paper_mnist = _HERE / "dcgan-paper-mnist"
gan_mnist = _HERE / "gan-mnist"
vae_mnist = _HERE / "vae-mnist"
vae2d_mnist = _HERE / "vae2d-mnist"
wgan_gp_mnist = _HERE / "wgan-gp-mnist"
wgan_mnist = _HERE / "wgan-mnist"
