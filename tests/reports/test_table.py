"""The table on the terminal."""

import io
import re
from collections.abc import Callable

import pytest

from headframe.records.scan import Damage, InputSummary, ScanResult
from headframe.reports.table import damage_lines, summary_lines, write_table
from tests.reports import samples

ESCAPE = "\x1b"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(result: ScanResult, stream: io.StringIO | None = None, **options: object) -> str:
    stream = stream or io.StringIO()
    options.setdefault("environment", {"TERM": "xterm-256color"})
    write_table(result, stream, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 100, 150, 220])
@pytest.mark.parametrize("name", sorted(samples.SCANS))
def test_table_keeps_to_the_width(name: str, width: int) -> None:
    """Rows of the table fit; only sentences below it may be longer, because a terminal wraps them by itself."""
    table = written(samples.SCANS[name](), width=width).split("\nFound:")[0].split("\nNo mining")[0]
    if samples.SCANS[name]().findings:
        assert max(map(len, table.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 220])
def test_table_shows_what_was_found(width: int) -> None:
    """Host, role, coin, pool, peer, protocol, hash rate, shares, time and evidence of a miner."""
    words = " ".join(written(samples.mixed(), width=width).split())
    for part in (
        "192.0.2.41", "miner", "XMR", "pool.minexmr.com", "198.51.100.7:4444", "cryptonote",
        "2.98 kH/s (2.71 to 3.27)", "2021-04-16 03:09:47", "09:09:47", "10^6.28", "1 in 1.9 million", "104 TH/s",
    ):  # fmt: skip
        assert part in words, part
    assert f"{samples.miner().shares.accepted} accepted" in words


@pytest.mark.parametrize("width", [80, 150, 200])
def test_timing_has_a_row_of_its_own(width: int, golden: Callable[[str, str], None]) -> None:
    """Blocks instead of shares, also where content tells of the same host and peer; the whole text is kept."""
    text = written(samples.timed(), width=width)
    words = " ".join(text.split("\nFound:")[0].split())
    for part in ("84 of 89 blocks", "(by chance 2.0)", "77 of 80 blocks", "437 accepted", "10^71.14"):
        assert part in words, part
    assert words.count("192.0.2.41") == 2
    golden(f"reports/timing-table-{width}.txt", text)


def test_a_pipe_gets_160_columns() -> None:
    """Where nobody says how wide the paper is, cells wrap before lines become longer than a pager shows."""
    table = written(samples.mixed()).split("\nFound:")[0]
    assert max(map(len, table.splitlines())) <= 160
    assert table == written(samples.mixed(), width=160).split("\nFound:")[0]
    for part in ("pool.minexmr.com", "(198.51.100.7:4444)", "10^6.28", "(1 in 1.9 million)", "2.98 kH/s"):
        assert part in table


def test_one_line_for_each_finding_where_there_is_room() -> None:
    """On wide paper a finding is a line, ready for grep."""
    text = written(samples.mixed(), environment={"COLUMNS": "300"})
    line = next(line for line in text.splitlines() if line.startswith("192.0.2.41"))
    for part in (
        "miner",
        "XMR",
        "pool.minexmr.com (198.51.100.7:4444)",
        "2.98 kH/s (2.71 to 3.27)",
        "(1 in 1.9 million)",
    ):
        assert part in line


def test_columns_variable_is_honoured_in_a_pipe() -> None:
    """COLUMNS=80 headframe scan ... | less"""
    text = written(samples.mixed(), environment={"COLUMNS": "80"}).split("\nFound:")[0]
    assert max(map(len, text.splitlines())) <= 80


def test_colour_on_terminals_only() -> None:
    """A file that holds escape sequences is a nuisance to every other program."""
    assert ESCAPE in written(samples.mixed(), Terminal(), width=120)
    assert ESCAPE not in written(samples.mixed())
    assert ESCAPE not in written(samples.mixed(), environment={"FORCE_COLOR": "1", "TERM": "xterm"})


def test_no_color_is_honoured() -> None:
    """https://no-color.org: any value but an empty one. Bold is no colour."""
    text = written(samples.mixed(), Terminal(), width=120, environment={"NO_COLOR": "1", "TERM": "xterm-256color"})
    codes = {code for codes in re.findall(r"\x1b\[([0-9;]*)m", text) for code in codes.split(";")}
    assert not codes & {str(n) for n in (*range(30, 50), *range(90, 108))}


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_hostile_names_cannot_drive_the_terminal(stream: type[io.StringIO]) -> None:
    """The only escape sequences are our own colours."""
    text = written(samples.hostile(), stream(), width=100)
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert all(line.isprintable() for line in text.split("\n"))


def test_hostile_markup_is_text() -> None:
    """Rich would take [red] for a style and [link=...] for a link."""
    assert "[link=file:///etc/passwd][red]" in written(
        samples.hostile().__class__(findings=[samples.miner(pool="[link=file:///etc/passwd][red]")]), width=400
    )


def test_summary_counts() -> None:
    """What was found, read, told apart and not readable, each with its number."""
    assert summary_lines(samples.mixed()) == [
        "Found: 2 miners, 1 probe, 1 contact (4 findings).",
        "Read: 2 files, 825 MB, 1,344,909 packets, 18,204 conversations in 1.84 s.",
        "Told apart: 2 conversations that only looked like mining:",
        "  192.0.2.60 to 192.0.2.61:8545: plain JSON-RPC",
        "  192.0.2.61 to 198.51.100.200:6667: chat",
        "Too little to tell: 1 question; --format json lists them.",
        "Not readable: 2 stretches, 3.32 kB, 1 packet known lost; everything else was used:",
        "  captures/site-b.pcap.zst at byte 4,194,304: bad record header, 1,312 bytes",
        "  captures/site-b.pcap.zst at byte 91,110,000: truncated, 2,004 bytes",
    ]


def test_summary_states_the_promise_of_the_list() -> None:
    """The rate and the number tested; remarks are no complaints; questions of the whole scan are shown."""
    lines = summary_lines(samples.timed())
    assert (
        "Timing findings and lookalikes: at most 1 % of them wrong on average "
        "(e-BH over 412 tested pairs of client and server)."
    ) in lines
    assert "Remark: blocks.csv: XMR: 368,296 heights are missing, in 41 places" in lines
    place = lines.index("Too little to tell: 2 questions; --format json lists them. Of the whole scan:")
    assert lines[place + 1].startswith("  the clock of BTC knows blocks from")
    assert "  192.0.2.111 to 198.51.100.21:18080: XMR node" in lines


def test_promise_without_findings_or_tests() -> None:
    """Nothing tested, nothing promised; tested in vain, and it says so."""
    result = samples.clean()
    assert not [line for line in summary_lines(result) if line.startswith("Timing")]
    result.timing_tested, result.timing_fdr = 1, 0.05
    assert "Timing findings: none among 1 tested pair of client and server." in summary_lines(result)
    result.findings = [samples.timing_miner()]
    assert (
        "Timing findings: at most 5 % of them wrong on average (e-BH over 1 tested pair of client and server)."
    ) in summary_lines(result)


def test_summary_of_a_clean_capture() -> None:
    """Short, and no word of damage."""
    assert summary_lines(samples.clean()) == [
        "No mining found.",
        "Read: 1 file, 1 kB, 10 packets, 2 conversations in 0.01 s.",
    ]
    assert damage_lines(samples.clean()) == []


def test_an_input_that_could_not_be_opened_is_named_once() -> None:
    """Neither a second time in the reason, nor with a byte offset and a length that it does not have."""
    result = samples.mixed()
    reasons = {"gone.pcap": "gone.pcap: no such file", "shut.pcap": "Permission denied", "-": "no bytes came"}
    for file, reason in reasons.items():
        damage = Damage(file=file, offset=0, length=0, packets=0, reason=reason)
        result.inputs.append(InputSummary(file=file, damage=[damage]))
    assert damage_lines(result) == [
        "Not readable: 3 inputs, not a byte of which was used:",
        "  gone.pcap: no such file",
        "  shut.pcap: Permission denied",
        "  standard input: no bytes came",
        *damage_lines(samples.mixed()),
    ]


def test_long_lists_of_damage_are_cut_and_counted() -> None:
    """A thousand damaged stretches must not push the findings off the screen."""
    result = samples.mixed()
    result.inputs[1].damage *= 500
    lines = damage_lines(result)
    assert len(lines) == 12
    assert lines[-1] == "  and 990 more; --format json lists them all"


def test_no_answer_is_not_a_clean_bill() -> None:
    """Where nothing could be read, "no mining found" would be a lie."""
    unreadable = samples.hostile()
    unreadable.findings, unreadable.packets = [], 0
    assert summary_lines(unreadable)[0] == "Nothing could be read: no answer."
    unreadable.packets = 5
    assert summary_lines(unreadable)[0] == "No mining found in what could be read."
