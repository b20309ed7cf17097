"""The loss of StyleGAN2."""
