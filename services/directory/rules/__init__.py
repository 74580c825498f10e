"""The rules of directory, by noun: pure functions, and the errors they raise."""
