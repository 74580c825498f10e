"""The routes, one file per noun; each turns one HTTP request into one or two requests to services."""
