"""ImageFiles as items of datasets: on disk, in tars, on the web."""
