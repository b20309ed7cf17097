"""Networks that enlarge and restore images, by spandrel, and the importer of their checkpoints."""
