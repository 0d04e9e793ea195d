"""Contracts that are Python types."""
