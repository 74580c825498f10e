"""What booking states and answers: spaces, bookings, occupancy."""
