"""A calendar file becomes a hub's programme: comparing it with the events there are, and carrying that out."""
