"""Datasets in the file layouts that torchvision downloads, read without its loaders and pickles."""
