"""Checkpoints of stylegan2-ada-pytorch, and of the StyleGAN2 in the stylegan3 repository."""
