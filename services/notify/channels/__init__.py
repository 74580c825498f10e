"""The ways out: a mail server, and other people's web servers."""
