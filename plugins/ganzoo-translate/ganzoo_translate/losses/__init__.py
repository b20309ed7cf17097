"""The games of pix2pix and CycleGAN."""
