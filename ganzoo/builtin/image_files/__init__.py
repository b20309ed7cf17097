"""Image files as items of datasets: on disk, in tar shards, on the web."""
