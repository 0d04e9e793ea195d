"""A guard over many values at once."""
