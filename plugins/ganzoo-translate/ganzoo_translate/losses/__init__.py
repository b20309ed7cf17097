"""The losses of pix2pix and CycleGAN."""
