"""The log itself says how many events a case has; what is kept of that in a file only saves time."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from headframe.casework import logged_cases
from headframe.casework.logged_cases import LoggedCases, Lost, PlacesDigest
from headframe.ledger.leaf import seal
from headframe.ledger.note import Signer
from headframe.stores.ledger_files import Ledger
from headframe.stores.ledger_keys import new_key

A, B = "HF-2026-000001", "HF-2026-000002"


def leaf(subject: str, kind: str = "case", at_ns: int = 1) -> bytes:
    return seal(kind, subject, at_ns, {"act": "hold"}, lambda: bytes(16))[0]


def of_a(numbers: Iterable[int]) -> list[bytes]:
    return [leaf(f"{A}/{number}", at_ns=place) for place, number in enumerate(numbers, 1)]


@pytest.fixture
def signer() -> Signer:
    return new_key("log.example/a")


@pytest.fixture
def log(tmp_path: Path, signer: Signer) -> Ledger:
    return Ledger.create(tmp_path / "ledger", [signer])


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept as soon as four leaves have come."""
    monkeypatch.setattr(logged_cases, "KEPT_EVERY", 4)


def read_by(log: Ledger, path: Path | None) -> LoggedCases:
    found = LoggedCases(log, path)
    found.catch_up()
    return found


def test_each_case_has_come_as_far_as_its_leaves_say(log: Ledger) -> None:
    """Leaves of other kinds that name a case, or look like one, are no events."""
    log.append([*of_a([1, 2]), leaf(f"{B}/1"), leaf(f"{B}/9", "access"), leaf(f'x"kind":"case"/{A}/7', "sites")])
    found = read_by(log, None)
    assert [(one, found.events(one)) for one in found.cases()] == [(A, 2), (B, 1)]
    assert (found.knows("HF-2026-000009"), found.events("HF-2026-000009")) == (False, 0)
    log.append([leaf(f"{A}/3")])
    assert found.events(A) == 2
    found.catch_up()
    assert (found.events(A), found.size) == (3, 6)


@pytest.mark.parametrize(
    ("numbers", "events", "twice"),
    [
        ([1, 2, 3], 3, ()),
        ([1, 3, 2], 3, ()),
        ([1, 2, 2], 2, (2,)),
        ([1, 4, 2, 4, 2], 4, (2, 4)),
        ([2], 2, ()),
        ([0, 1, 0], 1, ()),
    ],
)
def test_an_event_is_there_once_in_whatever_order(
    log: Ledger, numbers: list[int], events: int, twice: tuple[int, ...]
) -> None:
    """Two programs may hand over in another order; a number that comes again is another matter."""
    log.append(of_a(numbers))
    found = read_by(log, None)
    assert (found.events(A), found.twice(A)) == (events, twice)
    assert [found.has(A, number) for number in range(1, 5)] == [number in numbers for number in range(1, 5)]


def test_a_case_that_was_taken_back_goes_on_from_there(log: Ledger) -> None:
    """The same number once more after that is no alarm; a second time it is."""
    log.append([*of_a([1, 2, 3, 4]), leaf(f"{A}/2", "restored"), leaf(f"{A}/3", at_ns=70)])
    found = read_by(log, None)
    assert (found.events(A), found.twice(A)) == (3, ())
    log.append([leaf(f"{A}/3", at_ns=71)])
    found.catch_up()
    assert found.twice(A) == (3,)
    log.append([leaf(f"{A}/0", "restored")])
    found.catch_up()
    assert (found.events(A), found.twice(A), found.knows(A)) == (0, (), True)


def test_what_counts_stands_behind_the_leaf_that_took_its_case_back(log: Ledger) -> None:
    """The last one that took it back to before the event's number."""
    log.append([*of_a([1, 2, 3, 4]), leaf(f"{A}/1", "restored"), *of_a([2, 3])])
    log.append([leaf(f"{A}/3", "restored", at_ns=9)])
    assert [read_by(log, None).since(A, number) for number in (1, 2, 3, 4)] == [0, 4, 4, 7]
    log.append([leaf(f"{A}/2", "restored", at_ns=9)])
    assert [read_by(log, None).since(A, number) for number in (1, 2, 3, 4)] == [0, 4, 8, 8]
    assert read_by(log, None).since(B, 1) == 0


def test_what_was_lost_is_read_from_the_last_leaf_that_says_so(log: Ledger) -> None:
    """Its subject has all of it."""
    places = PlacesDigest()
    for place in (3, 17):
        places.add(place)
    assert (places.count, places.hex()) == (2, sha256(b"3\n17\n").hexdigest())
    first, second = Lost(0, 20, 2, places.hex()), Lost(1, 21, 2, places.hex())
    log.append([leaf(first.subject(), "restored"), leaf(second.subject(), "restored")])
    assert read_by(log, None).lost == second


def test_what_is_kept_saves_reading_the_log_again(
    log: Ledger, tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next program reads what came since, and finds the same."""
    path = tmp_path / "logged-cases"
    lost = Lost(6, 3, 1, "ab" * 32)
    log.append([leaf(f"{B}/0", "restored"), *of_a([1, 3, 3, 4]), leaf(f"{B}/1"), leaf(lost.subject(), "restored")])
    first = read_by(log, path)
    assert path.stat().st_mode & 0o777 == 0o600
    log.append([leaf(f"{B}/2")])
    read: list[tuple[int, int]] = []
    entries = Ledger.entries

    def noted(self: Ledger, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        read.append((start, self.size if end is None else end))
        return entries(self, start, end)

    monkeypatch.setattr(Ledger, "entries", noted)
    again = read_by(log, path)
    assert read == [(7, 8)]
    first.catch_up()
    for one in (first, again):
        assert (one.events(A), one.twice(A), one.has(A, 2), one.events(B), one.lost) == (4, (3,), False, 2, lost)
        assert [*one._back.items()] == [(B, [(0, 0)])]


@pytest.mark.parametrize(
    "harm", ["empty", "cut off", "changed", "of another log", "of a longer log", "of another root"]
)
def test_a_file_that_is_not_of_this_log_is_made_anew(
    log: Ledger, signer: Signer, tmp_path: Path, often: None, harm: str
) -> None:
    """The log says the same, and takes a little longer."""
    path = tmp_path / "logged-cases"
    log.append(of_a([1, 2, 3, 4]))
    read_by(log, path)
    data = path.read_bytes()
    if harm == "empty":
        path.write_bytes(b"")
    elif harm == "cut off":
        path.write_bytes(data[:-9])
    elif harm == "changed":
        path.write_bytes(data.replace(f'"{A}":4'.encode(), f'"{A}":2'.encode()))
    else:
        other = Ledger.create(tmp_path / "other", [new_key("log.example/b") if harm == "of another log" else signer])
        other.append(of_a([1] if harm == "of another log" else [1, 2] if harm == "of a longer log" else [1, 2, 2, 2]))
        log = other
        if harm == "of another log":
            log.append(of_a([7, 8, 9, 10])[1:])
    found = read_by(log, path)
    anew = read_by(log, None)
    assert (found.events(A), found.twice(A)) == (anew.events(A), anew.twice(A))
    if log.size >= 4:
        body = path.read_bytes().split(b"\n", 1)[1]
        assert json.loads(body)["events"] == {A: anew.events(A)}


def test_a_folder_that_cannot_be_written_is_no_fault(log: Ledger, tmp_path: Path, often: None) -> None:
    """It only takes longer next time."""
    log.append(of_a([1, 2, 3, 4]))
    assert read_by(log, tmp_path / "nowhere" / "logged-cases").events(A) == 4
