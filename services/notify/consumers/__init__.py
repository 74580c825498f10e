"""Facts in: what they say is kept, and who may have to hear of it is noted."""
