"""The hot path: numba over plain arrays. Knows nothing of tables, files or configuration."""
