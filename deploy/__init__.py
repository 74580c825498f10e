"""How Foci is put on machines: the image, the compose file, the bus configuration, the stack on one machine."""
