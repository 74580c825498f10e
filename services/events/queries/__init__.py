"""Reading: each function is one question, answered with the view model."""
