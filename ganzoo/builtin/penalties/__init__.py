"""Built-in gradient penalties."""
