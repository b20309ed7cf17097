"""Comparison of models, and of trainings: `evaluate`, `compare` and `benchmark`."""
