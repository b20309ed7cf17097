"""Translators and patch discriminators."""
