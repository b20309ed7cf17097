"""Lightweight GAN for ganzoo: FastGAN's networks, and importers for weights of lightweight-gan."""
