"""Training games."""
