"""Reading secret calendar addresses."""
