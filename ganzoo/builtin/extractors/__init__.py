"""Feature extractors, registered by entry points like anybody's."""
