"""A real Monero daemon for the tests of the chain sources, started once."""

from collections.abc import Callable, Iterator

import pytest

from tests.chain_servers import Monerod, run_monerod


@pytest.fixture(scope="module")
def monerod(require_tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monerod]:
    """A monerod on a chain of its own, offline, on loopback."""
    with run_monerod(require_tool("monerod"), tmp_path_factory.mktemp("monerod")) as node:
        node.generate(3)
        yield node
