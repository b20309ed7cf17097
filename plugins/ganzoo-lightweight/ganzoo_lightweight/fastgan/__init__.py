"""FastGAN as in its paper: the networks, and the loss with a self-supervised discriminator."""
