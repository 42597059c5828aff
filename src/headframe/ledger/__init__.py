"""Append-only evidence log: Merkle tree, signed checkpoints, salted leaves, bundles, and their verification; pure.

``docs/ledger-format.md`` describes every byte; a stranger can write a verifier from it. The modules here compute, and
open nothing: `headframe.stores.ledger_files` keeps a log in a folder, `headframe.stores.bundles` reads and writes
bundles.
"""
