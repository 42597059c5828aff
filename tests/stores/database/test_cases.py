"""Events, clocks, numbers and lists of cases: the same on both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from stores.database.makers import DAY_NS, T0, clock, finding, leaf, opening, remedy, site

from headframe.cases.store import CaseFilter, FindingFilter, SiteImport, StaleCase
from headframe.errors import HeadframeError
from headframe.records.case import Stage
from headframe.records.policy import ClockState, PartyStanding
from headframe.records.site import Organisation
from headframe.stores.database import DatabaseStore


def open_case(store: DatabaseStore, case_id: str, **more: object) -> None:
    events, case = opening(case_id, **more)  # type: ignore[arg-type]
    with store.writing() as writer:
        writer.append(events, case, [])


def test_events_come_back_as_they_went_in(store: DatabaseStore) -> None:
    """Every field of every event is there again, in order, after any number of transactions."""
    events, case = opening("HF-2026-000001", findings=[finding(1)])
    second, third = remedy(case.case_id, 2), remedy(case.case_id, 3, text="sealed “by hand”\u2028")
    with store.writing() as writer:
        writer.append(events, case, [clock()])
    with store.writing() as writer:
        writer.append([second, third], replace(case, version=3, last_ns=third.at_ns), [])
    assert store.events(case.case_id) == (*events, second, third)
    assert store.events("HF-2026-000002") == ()
    assert store.clocks(case.case_id) == ()


def test_what_fails_leaves_nothing(store: DatabaseStore) -> None:
    """A transaction that ends with an exception writes nothing at all, not even a number."""
    events, case = opening("HF-2026-000001")
    with pytest.raises(RuntimeError, match="in between"), store.writing() as writer:
        assert writer.next_case_number(2026) == 1
        writer.append(events, case, [clock()])
        writer.log(leaf("case/HF-2026-000001/1", case.case_id))
        raise RuntimeError("in between")
    assert store.events(case.case_id) == ()
    assert store.pending_leaves() == ()
    assert store.cases(CaseFilter()).total == 0
    with store.writing() as writer:
        assert writer.next_case_number(2026) == 1


@pytest.mark.parametrize("number", [2, 4])
def test_a_stale_act_is_refused(store: DatabaseStore, number: int) -> None:
    """An act that was decided on another state of the case is refused: its number is taken, or leaves a gap."""
    events, case = opening("HF-2026-000001")
    with store.writing() as writer:
        writer.append(events, case, [])
        writer.append([remedy(case.case_id, 2)], replace(case, version=2), [])
    late = remedy(case.case_id, number, account="cleo")
    with pytest.raises(StaleCase, match="HF-2026-000001 stands at event 2"), store.writing() as writer:
        writer.append([late], replace(case, version=number), [])
    assert [event.account for event in store.events(case.case_id)] == ["ann", "bob"]


def test_events_must_follow_each_other(store: DatabaseStore) -> None:
    """A gap inside one call, another case's event, or a case of another version is a mistake of the caller."""
    events, case = opening("HF-2026-000001")
    for wrong, then in (
        ([*events, remedy(case.case_id, 3)], replace(case, version=3)),
        ([*events, remedy("HF-2026-000002", 2)], replace(case, version=2)),
        (events, replace(case, version=2)),
        ([], case),
    ):
        with pytest.raises(ValueError, match="events"), store.writing() as writer:
            writer.append(wrong, then, [])


def test_two_writers_one_number(opened: Callable[[], DatabaseStore]) -> None:
    """Of writers that add the same number at the same moment exactly one succeeds; the others hear StaleCase."""
    stores = [opened() for _ in range(4)]
    events, case = opening("HF-2026-000001")
    with stores[0].writing() as writer:
        writer.append(events, case, [])
    for number in range(2, 12):
        barrier = threading.Barrier(len(stores))
        said: list[str] = []

        def act(store: DatabaseStore, name: str, number: int, barrier: threading.Barrier, said: list[str]) -> None:
            barrier.wait()
            try:
                with store.writing() as writer:
                    writer.append([remedy(case.case_id, number, name)], replace(case, version=number), [])
                said.append(name)
            except StaleCase:
                said.append("stale")

        threads = [
            threading.Thread(target=act, args=(each, f"w{k}", number, barrier, said)) for k, each in enumerate(stores)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said)[:-1] == ["stale"] * 3
        assert stores[0].events(case.case_id)[-1].account == max(said)
    assert [event.number for event in stores[1].events(case.case_id)] == list(range(1, 12))


def test_two_who_open_the_same_case(opened: Callable[[], DatabaseStore]) -> None:
    """The same for the first event, where there is no row of the case yet that could be locked."""
    stores = [opened(), opened()]
    for k in range(10):
        barrier = threading.Barrier(2)
        said: list[str] = []

        def act(store: DatabaseStore, case_id: str, barrier: threading.Barrier, said: list[str]) -> None:
            barrier.wait()
            try:
                open_case(store, case_id)
                said.append("done")
            except StaleCase:
                said.append("stale")

        threads = [threading.Thread(target=act, args=(each, f"HF-2026-{k:06d}", barrier, said)) for each in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said) == ["done", "stale"]


def test_case_numbers_have_no_gaps(opened: Callable[[], DatabaseStore]) -> None:
    """Numbers of a year are 1, 2, 3, ... whoever takes them, and one that was not used is given again."""
    stores = [opened() for _ in range(3)]
    taken: list[int] = []

    def take(store: DatabaseStore, worker: int) -> None:
        for k in range(8):
            try:
                with store.writing() as writer:
                    number = writer.next_case_number(2026)
                    if (k + worker) % 3 == 0:
                        raise RuntimeError("changed its mind")
                taken.append(number)
            except RuntimeError:
                pass

    threads = [threading.Thread(target=take, args=(each, k)) for k, each in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert len(taken) == 16
    with stores[0].writing() as writer:
        assert [writer.next_case_number(2027), writer.next_case_number(2026)] == [1, 17]


def test_the_list_is_sorted_by_due_date(store: DatabaseStore) -> None:
    """Cases with a running clock come first, the soonest due on top; then the latest. A paused clock is none."""
    wanted = []
    for k, (clocks, last_ns) in enumerate(
        [
            ([clock(due_ns=T0 + 9 * DAY_NS)], T0),
            ([clock(due_ns=T0 + 7 * DAY_NS), clock("appeal", T0 + 3 * DAY_NS)], T0),
            ([clock(due_ns=None, state=ClockState.PAUSED)], T0 + 5 * DAY_NS),
            ([], T0 + 6 * DAY_NS),
            ([clock(due_ns=T0 + DAY_NS, state=ClockState.STOPPED)], T0 + 4 * DAY_NS),
        ]
    ):
        events, case = opening(f"HF-2026-00000{k}", at_ns=last_ns)
        with store.writing() as writer:
            writer.append(events, case, clocks)
        wanted.append(case.case_id)
    page = store.cases(CaseFilter())
    assert [row.case_id for row in page.rows] == [wanted[k] for k in (1, 0, 3, 2, 4)]
    assert (page.total, page.cursor) == (5, "")
    assert (page.rows[0].next_clock, page.rows[0].next_due_ns) == ("appeal", T0 + 3 * DAY_NS)
    assert page.rows[0].next_due_basis == "operator_default"
    assert (page.rows[2].next_clock, page.rows[2].next_due_ns) == ("", None)
    due = store.cases(CaseFilter(due_before_ns=T0 + 9 * DAY_NS))
    assert [row.case_id for row in due.rows] == [wanted[1]]


def test_pages_follow_each_other(store: DatabaseStore) -> None:
    """All pages together are the list, each case once, although others open cases meanwhile."""
    for k in range(23):
        open_case(store, f"HF-2026-{k:06d}", at_ns=T0 + (k % 5) * DAY_NS)
    whole = [row.case_id for row in store.cases(CaseFilter(), limit=100).rows]
    seen: list[str] = []
    cursor = ""
    while True:
        page = store.cases(CaseFilter(), cursor=cursor, limit=4)
        seen += [row.case_id for row in page.rows]
        open_case(store, f"HF-2027-{len(seen):06d}", at_ns=T0 + 99 * DAY_NS)  # goes to the top, behind our back
        if not page.cursor:
            break
        cursor = page.cursor
    assert seen == whole
    assert len(set(seen)) == 23


def test_filters_of_cases(store: DatabaseStore) -> None:
    """Each field of the filter narrows the list, alone and together; the total counts what it lets through."""
    with store.writing() as writer:
        writer.import_sites(
            SiteImport(
                sites=[site(1, "Westfield Hall"), site(2, "西湖 园区")],
                organisations=[Organisation(organisation_id="O-1", name="Acme")],
            )
        )
        for k in range(6):
            events, case = opening(f"HF-2026-{k:06d}", at_ns=T0 + k, site_id=f"S-{1 + k % 2}")
            case = replace(
                case,
                stage=Stage.NOTIFIED if k < 2 else Stage.DECIDED if k < 4 else Stage.CLOSED,
                standing=PartyStanding.VICTIM if k == 3 else PartyStanding.OPERATOR,
                region="R-2" if k == 5 else "R-1",
                on_hold=k == 0,
            )
            writer.append(events, case, [])

    def numbers(**wanted: object) -> str:
        page = store.cases(CaseFilter(**wanted))  # type: ignore[arg-type]
        assert page.total == len(page.rows)
        return "".join(sorted(row.case_id[-1] for row in page.rows))

    assert numbers() == "012345"
    assert numbers(stages=frozenset({Stage.NOTIFIED})) == "01"
    assert numbers(stages=frozenset({Stage.NOTIFIED, Stage.CLOSED}), site_id="S-1") == "04"
    assert numbers(standing=PartyStanding.VICTIM) == "3"
    assert numbers(region="R-2") == "5"
    assert numbers(pack_id="pack", site_kind="industrial_park", organisation_id="O-1") == "012345"
    assert numbers(pack_id="other") == ""
    assert numbers(text="hf-2026-00000") == "012345"
    assert numbers(text="HF-2026-000004") == "4"
    assert numbers(text="westf") == "024"
    assert numbers(text="西湖") == "135"
    assert numbers(text="S-2") == "135"
    assert numbers(text="o-1") == "012345"
    assert numbers(text="field") == ""
    assert numbers(text="%") == ""
    row = store.cases(CaseFilter(text="HF-2026-000000")).rows[0]
    assert (row.site_name, row.organisation_name, row.on_hold) == ("Westfield Hall", "Acme", True)


def test_a_renamed_site_is_found_by_its_new_name(store: DatabaseStore) -> None:
    """A list shows and finds the name that the last import gave."""
    with store.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1, "Old Mill")]))
    open_case(store, "HF-2026-000001")
    with store.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1, "New Mill")]))
    assert store.cases(CaseFilter(text="old")).total == 0
    assert store.cases(CaseFilter(text="hf-2026-000001")).total == 1
    assert [row.site_name for row in store.cases(CaseFilter(text="new")).rows] == ["New Mill"]


def test_bad_cursors_are_refused_in_words(store: DatabaseStore) -> None:
    """A cursor of another list, of another filter, or of nothing at all says so."""
    for k in range(4):
        open_case(store, f"HF-2026-{k:06d}")
    with store.writing() as writer:
        writer.import_findings(finding(k) for k in range(4))
    of_cases = store.cases(CaseFilter(), limit=2).cursor
    for cursor in ("nonsense", "", of_cases[:-2], "W10", "bnVsbA", "\u00e9"):
        if cursor:
            with pytest.raises(HeadframeError, match="cursor"):
                store.cases(CaseFilter(), cursor=cursor)
    with pytest.raises(HeadframeError, match="another filter"):
        store.cases(CaseFilter(region="R-1"), cursor=of_cases)
    with pytest.raises(HeadframeError, match="cursor"):
        store.findings(FindingFilter(), cursor=of_cases)
    for limit in (0, -1, 1_001):
        with pytest.raises(HeadframeError, match="1 to 1000"):
            store.cases(CaseFilter(), limit=limit)


def test_all_events_are_streamed_in_order(store: DatabaseStore) -> None:
    """Events of all cases, by case and number, however many; a stream that is left early does no harm."""
    with store.writing() as writer:
        for k in range(3):
            events, case = opening(f"HF-2026-{k:06d}")
            more = [remedy(case.case_id, n) for n in range(2, 502)]
            writer.append([*events, *more], replace(case, version=501), [])
    keys = [(event.case_id, event.number) for event in store.all_events()]
    assert keys == sorted(keys)
    assert len(keys) == 3 * 501
    left = store.all_events()
    next(left)
    left.close()
    open_case(store, "HF-2026-000009")
