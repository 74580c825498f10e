"""A calendar file becomes bookings: reading it, comparing it with what is booked, carrying that out."""
