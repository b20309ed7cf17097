"""A look at a folder of image files: what a training would read, skip and refuse."""
