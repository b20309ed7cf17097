"""Penalties, one file a family."""
