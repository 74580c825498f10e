"""What all services share: the published language (contracts) and the technical kit."""
