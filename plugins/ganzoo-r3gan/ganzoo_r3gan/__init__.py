"""R3GAN for ganzoo: the modern GAN baseline, its networks, its loss and its recipes."""
