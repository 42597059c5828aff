"""Append-only evidence log: Merkle tree, signed checkpoints, salted leaves, bundles, and their verification; pure."""
