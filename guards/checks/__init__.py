"""The guards. One guard, or one family, per file; `base` holds what they share."""
