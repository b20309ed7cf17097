"""Image-to-image translation for ganzoo: pix2pix, CycleGAN, and the data they learn from."""
