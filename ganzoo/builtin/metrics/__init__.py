"""The metrics that ship in the box."""
