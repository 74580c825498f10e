"""Reading ESCO's files and bringing them in."""
