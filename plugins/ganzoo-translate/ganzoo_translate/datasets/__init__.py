"""Pairs of pictures, and pictures of two domains."""
