"""Turn checkpoints of other projects into bundles."""
