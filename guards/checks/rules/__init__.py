"""Guards that need no model."""
