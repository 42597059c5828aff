"""What is kept of a conversation for timing evidence: when each side spoke and how much, and nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headframe.records.conversation import Conversation, PacketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursts:
    """Bursts of one conversation.

    Attributes
    ----------
    conversation : Conversation
        Ports are 0 where the run is blind to content.
    time_ns : int64[n]
        First packet of each burst, ascending. [ns since 1970-01-01 UTC]
    size : int32[n]
        Payload, negative from the responder. [bytes]
    direction_known : bool
        Whether it was seen who called whom. Else originator and responder are a guess.
    first_packet : PacketRef or None
        Where the conversation begins in the capture.
    """

    conversation: Conversation
    time_ns: NDArray[np.int64]
    size: NDArray[np.int32]
    direction_known: bool = True
    first_packet: PacketRef | None = None
