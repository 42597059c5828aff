"""Log lines: an event name plus fields, to standard error, for people or as JSON.

The program sets up its own logger and leaves the root logger alone, so a library that embeds Headframe keeps its own
logging. Logs may be lost, and hold neither secrets nor payload: what must be provable goes into findings.
"""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO

from headframe import clock

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger

Level = Literal["debug", "info", "warning", "error"]

_NUMBER_OF_LEVEL = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def get_logger(**fields: object) -> "FilteringBoundLogger":
    """Logger that adds `fields` to each of its lines.

    Until `set_up` was called it is silent below ``warning``.

    Parameters
    ----------
    **fields : object
        Fields that each line carries, such as ``file="a.pcap"``.

    Returns
    -------
    structlog.typing.FilteringBoundLogger
        ``log.info("file read", packets=12)``.
    """
    import structlog

    if not structlog.is_configured():
        set_up("warning")
    logger: FilteringBoundLogger = structlog.get_logger("headframe", **fields)
    return logger


def set_up(level: Level = "warning", *, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Choose what is logged, and in which form.

    Parameters
    ----------
    level : {'debug', 'info', 'warning', 'error'}
        Lines below it are dropped.
    as_json : bool
        One JSON object per line instead of a line for people.
    stream : text stream or None
        Where lines go; None is standard error.

    Raises
    ------
    ValueError
        If `level` is none of the four.
    """
    if level not in _NUMBER_OF_LEVEL:
        known = ", ".join(_NUMBER_OF_LEVEL)
        raise ValueError(f"log level {level!r} is unknown; it is one of {known}")
    import structlog

    out = sys.stderr if stream is None else stream
    renderer: Any
    if as_json:
        renderer = structlog.processors.JSONRenderer(sort_keys=True)
    else:
        renderer = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _add_timestamp,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBER_OF_LEVEL[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def _add_timestamp(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    # structlog's own TimeStamper would be a second caller of the system clock.
    event["timestamp"] = datetime.fromtimestamp(clock.now_ns() / 1e9, tz=UTC).isoformat(timespec="milliseconds")
    return event
