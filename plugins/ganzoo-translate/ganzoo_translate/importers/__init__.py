"""Importers of checkpoints of the authors' PyTorch program."""
