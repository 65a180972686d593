"""What each command of `vouch` does, loaded only when it is called."""
