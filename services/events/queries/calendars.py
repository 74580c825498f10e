"""Reading what stands in calendars."""
