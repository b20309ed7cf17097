"""Ordinary plugins that ship in the box, found through entry points like a stranger's."""
