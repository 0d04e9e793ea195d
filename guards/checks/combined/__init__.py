"""Guards that are made of guards."""
