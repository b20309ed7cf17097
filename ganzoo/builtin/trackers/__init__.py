"""The trackers that ship in the box."""
