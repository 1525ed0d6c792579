"""Helpers for the authors of connectors."""
