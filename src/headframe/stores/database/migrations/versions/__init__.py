"""One module for each step; a released one never changes."""
