"""What events says and answers."""
