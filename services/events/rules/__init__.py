"""The rules of events: pure functions over times, places, lines and calendars, and the errors they raise."""
