"""Checkpoints of other implementations of StyleGAN2."""
