"""The rules of booking: pure functions over times, units and a space's wishes, and the errors they raise."""
