"""The architecture of StyleGAN2."""
