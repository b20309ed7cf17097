"""StyleGAN3 for ganzoo: alias-free generators, and the importer of their checkpoints."""
