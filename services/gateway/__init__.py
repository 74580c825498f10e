"""The gateway: the only HTTP door, turning HTTP into requests; it holds no state and decides no business rule."""
