"""Thresholds found on labelled rows: how well scores part the rows, and what a threshold holds for."""
