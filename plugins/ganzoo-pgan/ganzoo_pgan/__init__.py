"""Progressive GAN for ganzoo: its networks, and the importer of pytorch_GAN_zoo's models."""
