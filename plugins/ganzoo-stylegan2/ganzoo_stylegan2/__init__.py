"""StyleGAN2 for ganzoo: networks, loss and adaptive augmentation, in plain PyTorch."""
