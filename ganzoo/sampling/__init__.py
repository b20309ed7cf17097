"""Generators, translators and encoders, their latents, and images as arrays and files."""

from ganzoo.sampling import latents

__all__ = ["latents"]
