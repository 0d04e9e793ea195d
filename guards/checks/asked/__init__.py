"""Guards that ask a model what they want to know."""
