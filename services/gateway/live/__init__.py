"""What happens, as it happens: facts heard once per replica and handed to everybody who reads along and may."""
