"""Events: meetups, series, sign-ups, calendars."""
