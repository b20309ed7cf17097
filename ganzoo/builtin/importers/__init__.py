"""Importers of checkpoints that become built-in architectures."""
