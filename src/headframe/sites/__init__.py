"""Which site an address or a meter belonged to at a time: told with its reasons, or told why it cannot be told."""

from headframe.sites.registry import Registry
from headframe.sites.resolve import ResolutionTable, resolve, resolve_many, resolve_usage_point

__all__ = ["Registry", "ResolutionTable", "resolve", "resolve_many", "resolve_usage_point"]
