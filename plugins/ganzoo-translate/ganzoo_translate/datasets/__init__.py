"""Datasets of image pairs and of two unpaired domains."""
