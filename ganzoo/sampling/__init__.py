"""Generators and encoders, their latents, and images as arrays and files."""
