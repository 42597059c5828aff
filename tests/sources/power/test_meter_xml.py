"""Green Button and IEC 61968-9: what reading types, links, qualities and events say, and what is refused."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headframe.records.reading import MeterEventKind, Quality
from headframe.sources.power.iec61968 import event_kind, reading_type
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.read import read_readings

T0 = 1577836800  # 2020-01-01 UTC
ROOT = "https://utility.example/espi/1_1/resource"


def entry(address: str, content: str, related: str = "") -> str:
    """One thing of a feed, with its links."""
    link = f'<link rel="related" href="{ROOT}/{related}"/>' if related else ""
    return (
        f'<entry><id>urn:uuid:{abs(hash(address)):x}</id><link rel="self" href="{ROOT}/{address}"/>{link}'
        f"<content><e:{content}</content></entry>"
    )


def reading_type_entry(address: str, **said: int) -> str:
    """A ReadingType; its elements by keyword."""
    inner = "".join(f"<e:{name}>{value}</e:{name}>" for name, value in said.items())
    return entry(address, f"ReadingType>{inner}</e:ReadingType>")


def block(values: list[str], start: int = T0, step: int = 3600, quality: str = "", timed: bool = True) -> str:
    """An IntervalBlock of hours."""
    inner = ""
    for k, value in enumerate(values):
        period = (
            f"<e:timePeriod><e:duration>{step}</e:duration><e:start>{start + k * step}</e:start></e:timePeriod>"
            if timed
            else ""
        )
        doubt = f"<e:ReadingQuality><e:quality>{quality}</e:quality></e:ReadingQuality>" if quality else ""
        inner += f"<e:IntervalReading>{doubt}{period}<e:value>{value}</e:value></e:IntervalReading>"
    return f"IntervalBlock><e:interval><e:start>{start}</e:start></e:interval>{inner}</e:IntervalBlock>"


def feed(*entries: str) -> str:
    """A whole feed."""
    body = "".join(entries)
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">{body}</feed>'
    )


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, **options: object):
        path = tmp_path / "readings.xml"
        path.write_text(text)
        return read_readings(path, None, ReadingOptions(**options))  # type: ignore[arg-type]

    return read


POINT = "RetailCustomer/9b/UsagePoint/01"
ENERGY = {"accumulationBehaviour": 4, "commodity": 1, "flowDirection": 1, "intervalLength": 3600,
          "powerOfTenMultiplier": 0, "uom": 72}  # fmt: skip


def reasons(file):
    return {reason: count for reason, count, _ in file.account.problems}


def test_blocks_find_their_reading_type_in_any_order(read):
    """Two meter readings of one usage point, import and export, their types at the end of the feed."""
    file = read(
        feed(
            entry(POINT, "UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>"),
            entry(f"{POINT}/MeterReading/1", "MeterReading/>", "ReadingType/a"),
            entry(f"{POINT}/MeterReading/2", "MeterReading/>", "ReadingType/b"),
            entry(f"{POINT}/MeterReading/1/IntervalBlock/1", block(["12", "13"], quality="8")),
            entry(f"{POINT}/MeterReading/2/IntervalBlock/1", block(["5", "x", "7"])),
            reading_type_entry("ReadingType/a", **{**ENERGY, "powerOfTenMultiplier": 3}),
            reading_type_entry("ReadingType/b", **{**ENERGY, "flowDirection": 19}),
        )
    )
    assert file.readings.select("usage_point", "flow", "start_s", "energy_wh", "quality").rows() == [
        ("9b/01", "delivered", T0, 12_000, Quality.ESTIMATED),
        ("9b/01", "delivered", T0 + 3600, 13_000, Quality.ESTIMATED),
        ("9b/01", "received", T0, 5, 0),
        ("9b/01", "received", T0 + 7200, 7, 0),
    ]
    assert reasons(file) == {"the value is no number": 1}
    assert file.account.problems[0][2][0].row == 4
    assert (file.account.rows, file.account.kept) == (5, 4)


def test_registers_and_power(read):
    """A cumulative type is differenced; watts are energy over their interval."""
    address = f"{POINT}/MeterReading/1"
    register = feed(
        entry(address, "MeterReading/>", "ReadingType/a"),
        reading_type_entry("ReadingType/a", **{**ENERGY, "accumulationBehaviour": 3}),
        entry(f"{address}/IntervalBlock/1", block(["100", "103", "110"])),
    )
    file = read(register)
    assert file.readings.select("start_s", "energy_wh").rows() == [(T0 + 3600, 3), (T0 + 7200, 7)]
    power = feed(
        reading_type_entry("ReadingType/a", **{**ENERGY, "uom": 38, "intervalLength": 900}),
        entry(f"{address}/IntervalBlock/1", block(["400", "800"], timed=False)),
    )
    file = read(power)
    assert file.readings.select("start_s", "duration_s", "energy_wh").rows() == [(T0, 900, 100), (T0 + 900, 900, 200)]


def test_what_is_not_electricity_is_named(read):
    """Gas and reactive energy are counted, and not read as kilowatt hours."""
    gas = feed(
        entry(POINT, "UsagePoint><e:ServiceCategory><e:kind>1</e:kind></e:ServiceCategory></e:UsagePoint>"),
        reading_type_entry("ReadingType/a", **{**ENERGY, "commodity": 7, "uom": 169}),
        entry(f"{POINT}/MeterReading/1/IntervalBlock/1", block(["1", "2"])),
    )
    assert reasons(read(gas)) == {"not electricity": 2}
    reactive = feed(
        reading_type_entry("ReadingType/a", **{**ENERGY, "uom": 73}),
        entry(f"{POINT}/MeterReading/1/IntervalBlock/1", block(["1", "2"])),
    )
    assert reasons(read(reactive)) == {"not active energy or power (uom 73)": 2}
    assert reasons(read(feed(entry(f"{POINT}/MeterReading/1/IntervalBlock/1", block(["1"]))))) == {
        "no ReadingType belongs to it": 1
    }


def test_a_feed_that_breaks_off_is_read_so_far(read):
    """What stands before the break is kept, and the break has its line."""
    whole = feed(
        reading_type_entry("ReadingType/a", **ENERGY),
        entry(f"{POINT}/MeterReading/1/IntervalBlock/1", block(["1", "2"])),
        entry(f"{POINT}/MeterReading/1/IntervalBlock/2", block(["3", "4"], start=T0 + 7200)),
    )
    file = read(whole[:-90])
    assert file.readings["energy_wh"].to_list()[:3] == [1, 2, 3]
    assert file.account.kept + sum(reasons(file).values()) == file.account.rows
    assert any("broken" in reason for reason in reasons(file))


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE, '<!DOCTYPE feed SYSTEM "http://x.example/x.dtd">'])
@pytest.mark.parametrize("root", ["feed", "MeterReadings"])
def test_entities_are_refused(read, head, root):
    """A table of readings has no need of entities, and one line of them can fill a memory."""
    with pytest.raises(ValueError, match="refused"):
        read(f'<?xml version="1.0"?>{head}<{root}><entry>x</entry></{root}>')


@pytest.mark.parametrize("text", ["<html><p>no</p></html>", "<", "<feed", "<a>" * 50, "<?xml version='1.0'?><a/>"])
def test_other_xml_is_a_value_error_or_an_account(read, text):
    """Foreign and broken XML raises nothing else."""
    try:
        file = read(text)
    except ValueError:
        return
    assert not len(file.readings)
    assert file.account.problems


def test_memory_does_not_grow_with_the_feed(tmp_path):
    """Blocks are let go of once they are read: a feed five times as long takes little more."""
    import tracemalloc

    def peak(blocks: int) -> int:
        path = tmp_path / "long.xml"
        parts = [entry(f"{POINT}/MeterReading/1/IntervalBlock/{k}", block(["1"] * 500, start=T0 + k * 500 * 3600))
                 for k in range(blocks)]  # fmt: skip
        path.write_text(feed(reading_type_entry("ReadingType/a", **ENERGY), *parts))
        from headframe.sources.power.read import open_readings

        tracemalloc.start()
        with open_readings(path) as source:
            rows = sum(len(piece) for piece in source.pieces)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rows == blocks * 500
        return size

    few, many = peak(4), peak(20)
    # 8,000 more rows that wait to become a table, of some 300 bytes each; their elements would be five times that.
    assert many - few < 8000 * 800


IEC = (
    '<m:MeterReadings xmlns:m="http://iec.ch/TC57/2011/MeterReadings#"><m:MeterReading>{}'
    "</m:MeterReading></m:MeterReadings>"
)
QUARTER = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


def quarter_hours(values: list[str], code: str = QUARTER, quality: str = "", zone: str = "Z", hour: int = 0) -> str:
    """An IntervalBlock; stamps are ends."""
    doubt = f'<m:ReadingQualities><m:ReadingQualityType ref="{quality}"/></m:ReadingQualities>' if quality else ""
    inner = "".join(
        f"<m:IntervalReadings>{doubt}<m:timeStamp>"
        f"2020-01-01T{hour + (k + 1) // 4:02d}:{15 * ((k + 1) % 4):02d}:00{zone}"
        f"</m:timeStamp><m:value>{value}</m:value></m:IntervalReadings>"
        for k, value in enumerate(values)
    )
    return f'<m:IntervalBlocks>{inner}<m:ReadingType ref="{code}"/></m:IntervalBlocks>'


def test_interval_blocks_are_named_by_their_end(read):
    """The stamp 00:15 of a quarter of an hour is 00:00 here; the usage point may stand after the readings."""
    file = read(IEC.format(quarter_hours(["1.5", "", "2"], quality="2.8.1") + "<m:Meter><m:mRID>m7</m:mRID></m:Meter>"))
    assert file.readings.select("usage_point", "start_s", "duration_s", "energy_wh").rows() == [
        ("m7", T0, 900, 1500), ("m7", T0 + 900, 900, None), ("m7", T0 + 1800, 900, 2000)
    ]  # fmt: skip
    assert file.readings["quality"].to_list() == [1, 1 | Quality.MISSING, 1]


def test_a_usage_point_goes_before_the_meter(read):
    """A meter may be exchanged; the place stays."""
    names = "<m:Meter><m:mRID>m7</m:mRID></m:Meter><m:UsagePoint><m:mRID>u1</m:mRID></m:UsagePoint>"
    assert read(IEC.format(names + quarter_hours(["1"]))).readings["usage_point"].to_list() == ["u1"]
    assert reasons(read(IEC.format(quarter_hours(["1", "2"])))) == {"no usage point": 2}


def test_registers_become_differences(read):
    """Readings beside the interval blocks, of a cumulative type."""
    code = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
    inner = "".join(
        f"<m:Readings><m:timeStamp>2020-01-0{d}T00:00:00Z</m:timeStamp><m:value>{v}</m:value>"
        f'<m:ReadingType ref="{code}"/>'
        "</m:Readings>"
        for d, v in ((1, 100), (2, 124), (3, 130))
    )
    file = read(IEC.format("<m:Meter><m:mRID>m</m:mRID></m:Meter>" + inner))
    assert file.readings.select("start_s", "duration_s", "energy_wh").rows() == [
        (T0, 86400, 24_000), (T0 + 86400, 86400, 6_000)
    ]  # fmt: skip


def test_civil_time_without_an_offset(read):
    """A stamp without an offset is of the zone that is given."""
    text = IEC.format("<m:Meter><m:mRID>m</m:mRID></m:Meter>" + quarter_hours(["1"], zone="", hour=12))
    assert read(text, zone=ZoneInfo("America/Sao_Paulo")).readings["start_s"].to_list() == [T0 + 15 * 3600]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.73.0", "not active energy or power"),
        ("0.0.2.4.1.7.12.0.0.0.0.0.0.0.0.3.72.0", "not electricity"),
        ("0.8.2.6.1.1.37.0.0.0.0.0.0.0.0.3.38.0", "a largest or smallest value, not a mean"),
        ("0.0.2.4.1.1.12.0.0.0.0.2.0.0.0.3.72.0", "a tariff register: the total is what is read"),
        ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.128.3.72.0", "the part of one phase: the total is what is read"),
        ("1.2.3", "the reading type is not 18 numbers"),
    ],
)
def test_reading_types_that_are_not_read(read, code, reason):
    """Each is counted under its own reason."""
    assert reading_type(code).reason == reason
    file = read(IEC.format("<m:Meter><m:mRID>m</m:mRID></m:Meter>" + quarter_hours(["1"], code=code)))
    assert reasons(file) == {reason: 1}


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        ("3.12.29.212", "", MeterEventKind.COVER_OPENED),
        ("3.12.0.257", "", MeterEventKind.TAMPER),
        ("3.12.66.257", "", MeterEventKind.MAGNETIC_FIELD),
        ("3.26.0.85", "", MeterEventKind.POWER_OFF),
        ("3.26.0.216", "", MeterEventKind.POWER_ON),
        ("3.26.93.219", "", MeterEventKind.REVERSE_FLOW),
        ("3.36.114.24", "", MeterEventKind.CLOCK_CHANGED),
        ("x", "Power Outage", MeterEventKind.POWER_OFF),
        ("3.1.0.85", "", MeterEventKind.OTHER),
    ],
)
def test_kinds_of_events(code, words, kind):
    """By the four numbers of the code, else by the words."""
    assert event_kind(code, words) is kind


def test_events_of_meters(read):
    """Events stand among the readings, or alone in a message of their own."""
    event = '<m:EndDeviceEvents><m:createdDateTime>2020-01-01T00:10:00+01:00</m:createdDateTime><m:EndDeviceEventType ref="3.12.29.212"/></m:EndDeviceEvents>'  # noqa: E501
    file = read(IEC.format(event + quarter_hours(["1"]) + "<m:Meter><m:mRID>m</m:mRID></m:Meter>"))
    (found,) = file.events
    assert (found.usage_point, found.kind, found.time_ns) == (
        "m", MeterEventKind.COVER_OPENED, (T0 - 3000) * 10**9
    )  # fmt: skip
    alone = (
        '<EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#"><EndDeviceEvent>'
        '<createdDateTime>2020-01-01T00:00:00Z</createdDateTime><EndDeviceEventType ref="3.26.0.85"/>'
        "<Assets><mRID>m9</mRID></Assets></EndDeviceEvent><EndDeviceEvent/></EndDeviceEvents>"
    )
    file = read(alone)
    assert [(e.usage_point, e.kind) for e in file.events] == [("m9", MeterEventKind.POWER_OFF)]
    assert reasons(file) == {"an event without a time or a usage point": 1}
