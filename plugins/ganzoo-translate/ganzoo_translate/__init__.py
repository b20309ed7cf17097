"""Image-to-image translation for ganzoo: pix2pix, CycleGAN and their datasets."""
