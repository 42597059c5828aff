"""The faults a caller will want to tell apart; everything else is a built-in exception."""


class HeadframeError(Exception):
    """A fault that is the user's to mend: the message says what came, what would be right, what to do next."""


class UnreadableInput(HeadframeError):
    """No packet at all could be had from an input: missing, not permitted, or of no known format."""


class BadIndicator(HeadframeError):
    """An indicator file has a row that cannot be understood; the message names file and row."""


class NotAllowed(HeadframeError):
    """An account may not do what it asks for: unknown, disabled, or without the duty or the token."""
