"""R3GAN for ganzoo: networks, loss and recipes of "A Modern GAN Baseline"."""
