"""Plugins that ship with ganzoo. They register through entry points like any other plugin."""
