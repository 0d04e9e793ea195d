"""Contracts that are JSON Schemas."""
