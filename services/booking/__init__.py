"""Booking: spaces, bookings, presence, occupancy."""
