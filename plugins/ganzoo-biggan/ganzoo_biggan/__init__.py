"""BigGAN-deep for ganzoo: its networks, and an importer for its published weights."""
