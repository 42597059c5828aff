"""Salted hashes in the place of identities, for as long as one run lasts."""

import hashlib
import hmac
import os
from collections.abc import Callable

SALT_VARIABLE = "HEADFRAME_SALT"
"""Environment variable with the salt of pseudonyms; without it each run draws its own, so that pseudonyms of two runs
cannot be compared."""


def pseudonyms() -> Callable[[str], str]:
    """A function from identities to pseudonyms: the same in one run, not to be guessed without the salt."""
    salt = os.environ.get(SALT_VARIABLE, "").encode() or os.urandom(16)
    return lambda identity: "#" + hmac.new(salt, identity.encode(), hashlib.sha256).hexdigest()[:16]
