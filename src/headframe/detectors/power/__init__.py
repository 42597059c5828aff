"""Detectors on interval readings, one per file."""
