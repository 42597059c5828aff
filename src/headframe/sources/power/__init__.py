"""Readings of meters in the forms that utilities hold them, as `interval_reading`."""
