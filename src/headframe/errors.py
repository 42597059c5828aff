"""The faults a caller will want to tell apart; everything else is a built-in exception."""


class HeadframeError(Exception):
    """A fault that is the user's to mend: the message says what came, what would be right, what to do next."""


class UnreadableInput(HeadframeError):
    """No packet at all could be had from an input: missing, not permitted, or of no known format."""


class BadIndicator(HeadframeError):
    """An indicator file has a row that cannot be understood; the message names file and row."""


class NotWritten(HeadframeError):
    """The disk would not take what was to be kept: it is full, or may not be written."""


class NotAllowed(HeadframeError):
    """An account may not do what it asks for: unknown, disabled, or without the duty or the token."""


def fault_words(fault: BaseException) -> str:
    """What a file or the system refused, without the words of Python.

    Examples
    --------
    >>> fault_words(UnicodeDecodeError("utf-8", bytes([0xFF]), 0, 1, "invalid start byte"))
    'it is no text in UTF-8 (byte 0xff)'
    >>> fault_words(FileNotFoundError(2, "No such file or directory", "x"))
    'no such file or directory'
    """
    if isinstance(fault, UnicodeDecodeError):
        return f"it is no text in UTF-8 (byte 0x{fault.object[fault.start]:02x})"
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror[0].lower()}{fault.strerror[1:]}"
    return str(fault)
