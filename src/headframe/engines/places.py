"""Addresses to look out for: those of the indicators, and those that DNS gives for their names."""

from ipaddress import ip_address

import numpy as np

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.kernels import conversations as kernel
from headframe.kernels import look
from headframe.records.conversation import Conversation

_NOWHERE = frozenset(("0.0.0.0", "127.0.0.1", "::", "::1"))  # noqa: S104  what a resolver that blocks a name answers


class WatchedPlaces:
    """A set of addresses with ports that grows while a capture is read.

    Attributes
    ----------
    table : uint64[n]
        For the kernels, see `name_table`.
    grown : bool
        Addresses were added since the last `rebuild`.
    """

    def __init__(self, index: EndpointIndex) -> None:
        self._keys = set(_indicator_keys(index))
        self.rebuild()

    def add(self, address: str) -> None:
        """Look out for an address, on any port, from the next `rebuild` on."""
        key = _key(address, 0)
        if key not in self._keys and address not in _NOWHERE:
            self._keys.add(key)
            self.grown = True

    def rebuild(self) -> None:
        """Make `table` anew."""
        self.table = look.name_table(np.array(sorted(self._keys), dtype=np.uint64))
        self.grown = False

    def side_of(self, conversation: Conversation) -> str:
        """The address of a conversation that is looked out for.

        Where no SYN was seen the originator is a guess, so it may be on either side.
        """
        watched = {_key(conversation.resp_h, conversation.resp_p), _key(conversation.resp_h, 0)}
        return conversation.resp_h if watched & self._keys else conversation.orig_h


def _key(address: str, port: int) -> int:
    """`place_key` of an address in text form."""
    value = ip_address(address)
    number = int(value)
    high, low = (0, number) if value.version == 4 else (number >> 64, number & 0xFFFFFFFFFFFFFFFF)
    row = (np.array([part], dtype=np.uint64) for part in (high, low, port))
    return int(kernel.place_keys(*row)[0])


def _indicator_keys(index: EndpointIndex) -> list[int]:
    keys = index.address_keys()
    zeros = np.zeros(len(keys.v4), np.uint64)
    v4 = kernel.place_keys(zeros, keys.v4.astype(np.uint64), keys.v4_port.astype(np.uint64))
    v6 = kernel.place_keys(keys.v6_high, keys.v6_low, keys.v6_port.astype(np.uint64))
    return [*v4.tolist(), *v6.tolist()]
