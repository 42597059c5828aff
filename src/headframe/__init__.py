"""Headframe finds cryptocurrency mining from the traces it leaves, and shows evidence that can be checked."""

__version__ = "0.1.0"
