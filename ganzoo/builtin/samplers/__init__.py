"""Samplers: from seeds to the inputs of a generator."""
