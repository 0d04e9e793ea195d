"""Turning a model's text into a document: finding it, parsing it, and saying what was changed on the way."""
