"""A letter in Chinese is Chinese throughout: every sentence that a detector of ours can say has a form.

The words in the detectors' source are compared with the catalogue, so that nobody changes a sentence on one side only;
and ``tests/detectors/conftest.py`` holds every text that the detectors' own tests bring out against it.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from headframe import detectors
from headframe.reports.case_documents.detector_sentences_zh import DETECTOR_PARTS, DETECTOR_SENTENCES, MINING_ERRORS
from headframe.reports.case_documents.detector_words_zh import DETECTOR_WORDS
from headframe.reports.case_documents.translated import translated

SOURCES = Path(detectors.__file__).parent
SAYING = (
    *sorted(
        path
        for path in (SOURCES / "power").glob("*.py")
        if path.stem not in ("consequences", "estimates", "likeness_model", "shape_net_model", "shape_net")
    ),
    SOURCES / "network" / "pool_endpoint.py",
    *sorted((SOURCES / "network" / "chain_sync").glob("*.py")),
    *sorted((SOURCES / "network" / "peer_sync").glob("*.py")),
    SOURCES / "network" / "stratum" / "findings.py",
    SOURCES.parent / "engines" / "meters.py",
)
"""What writes explanations, contradictions, counter-hypotheses and what was lacking. The keys of `stratum`'s evidence
and labels of look-alikes stand in other files: no letter shows them."""
NO_FINDING = (
    "address and port pairs", "www web blog help", "And {n} more signs.", "common timer", "hidden clock ", "client ",
    "share accepted", "share rejected", "share stale", "http error", " run: ",
    "belongs to a block-chain node", "where coins are traded or kept", " But {reason}.",
    "unasked pushes coincide with those", "The same holds for", "timers that tick alike", "others, but they come",
    "at multiples of", "at times as even as a timer's",
    "off peak", "economy 7", "economy 10", "controlled load", "storage heat",
    "the table that was given", "balance: ", "heating and cooling as", "price_follow: no price",
    "peer_ratio: too many", "peer_ratio: periods are", "closer look", "{type}: {fault}", "economy 7",
    "the server spoke unasked", "apart from its introduction", "the client sent {n} messages of", "one message",
    "two messages", "the client's messages are of many sizes", "the server answered {n} of",
    "the server's answers (median", "of tariff class ", " of other utilities", "H/s (95 % interval ",
    "a coin that the traffic does not name", "Cuckoo Cycle", "fewer than 1 of 10,000",
)  # fmt: skip
"""Pieces of what no letter shows (evidence lines, look-alikes, remarks of a run, words to look for), and of the
values that `translated` knows by itself."""


def sentences_in(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of a module with its places as a mark, without docstrings and messages of errors."""

    def text_of(node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return re.sub(r"\{\w+\}", "\0", node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        return None

    def walk(node: ast.AST) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Raise) or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
                continue
            if isinstance(child, ast.expr) and (text := text_of(child)) is not None:
                yield child.lineno, text
                for part in child.values if isinstance(child, ast.JoinedStr) else ():
                    if isinstance(part, ast.FormattedValue):
                        yield from walk(part)
                continue
            yield from walk(child)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")))


def pieces(text: str) -> list[str]:
    """What stands between the places and the ends of sentences: whole words only, as both sides must have them."""
    found = re.split(r"\0|(?<=[.!?]) (?=[A-Z])", text)
    return [piece.strip(" ;:,.()") for piece in found if len(piece.split()) >= 3]


def known_words() -> str:
    forms = [*DETECTOR_SENTENCES, *DETECTOR_PARTS, *MINING_ERRORS]
    plain = [re.sub(r"\{\w+(?::\w+)?\}", "\0", form) for form in forms]
    return "\n".join([*plain, *DETECTOR_WORDS]).lower()


@pytest.mark.parametrize("path", SAYING, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_sentence_in_the_source_has_a_form(path: Path) -> None:
    """Mend with a form in detector_sentences_zh.py, or with an entry in NO_FINDING where no letter shows it."""
    known = known_words()
    passed = [re.sub(r"\{\w+\}", "\0", one) for one in NO_FINDING]
    for line, text in sentences_in(path):
        if any(one in text for one in passed):
            continue
        for piece in pieces(text):
            assert piece.lower() in known, f"{path.name}:{line}: {piece!r} has no form in Chinese"


def test_every_form_is_said_by_somebody() -> None:
    """A form whose words no detector has is a change that was made on one side only."""
    said = "\n".join(text for path in SAYING for _, text in sentences_in(path)).lower()
    said += (SOURCES / "network" / "stratum" / "roles.py").read_text(encoding="utf-8").lower()
    said += (SOURCES.parent / "sites" / "lawful.py").read_text(encoding="utf-8").lower()
    flat = re.sub(r"\"\s*\n\s*f?\"", "", said)
    for form in DETECTOR_SENTENCES:
        parts = [piece.lower().split() for piece in pieces(re.sub(r"\{\w+(?::\w+)?\}", "\0", form))]
        # Variants of a sentence are built out of parts, and places stand between them: three words in a row do.
        runs = [" ".join(words[k : k + 3]) for words in parts for k in range(len(words) - 2)]
        assert not runs or any(run in flat for run in runs), form


def test_places_are_the_same_on_both_sides() -> None:
    """A value that is dropped, or one that nobody gives."""
    for forms in (DETECTOR_SENTENCES, DETECTOR_PARTS, MINING_ERRORS):
        for english, chinese in forms.items():
            given = set(re.findall(r"\{(\w+)", english))
            used = set(re.findall(r"\{(\w+)", chinese))
            assert used == given, english


def test_a_text_of_which_a_part_is_unknown_is_not_translated_by_halves() -> None:
    """Half a sentence in each language reads as if nothing were missing."""
    assert translated("An attempt, not mining.", "zh")
    assert translated("An attempt, not mining. Somebody else says more.", "zh") is None
    assert translated("An attempt, not mining. Somebody else says more.", "en")
    assert translated("An attempt, not mining.", "fr") is None


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "192.0.2.1 mines BTC (test network) at 203.0.113.9:3333 over stratum-v1 in 3 conversations.",
            "192.0.2.1在203.0.113.9:3333（stratum-v1，3次通信）挖取BTC（测试网络）。",
        ),
        (
            "No meter shows 34.1 kW (33.7 kW to 34.5 kW) between 22:00 and 06:00, since 2026-06-12.",
            "有34.1 kW（33.7 kW至34.5 kW）未被任何电能表计量，22:00至06:00之间，自2026年6月12日起。",
        ),
        (
            "Over the 218 days from 2026-01-01 to 2026-08-06, the head meter of transformer T2 (class 0.5S) shows a "
            "mean of 831.8 kW, its 11 points and the losses expected 825.2 kW.",
            "自2026年1月1日至2026年8月6日的218日内，变压器T2的总表（准确度等级0.5S）平均为831.8 kW，其11个用电户号与预"
            "期损耗合计为825.2 kW。",
        ),
        (
            "No answer: there is no reading in 70 days.",
            "无法作答：70日内没有读数。",
        ),
        (
            "Nothing stands out: about 30 of 100 innocent commercial points of tariff class B2 of 1 to 4 kW mean in "
            "R01 look as much so.",
            "没有突出之处：没有此类设备的R01的电价类别为B2的平均1至4 kW的工商业用电户号每100个中约有30个同样如此。",
        ),
        (
            "The server also answered with errors: job not found (2 times), code -1 (once).",
            "服务器还答复了错误：任务不存在（2次）、代码-1（1次）。",
        ),
    ],
)
def test_sentences_are_told_with_their_values(english: str, chinese: str) -> None:
    """Dates, lengths, counts and parts in the way of the language."""
    assert translated(english, "zh") == chinese


@pytest.mark.parametrize(
    "name", ["A. Miner of braces {0} {host}", "x over y", "(", "。", "\\g<host>", "a; b", "The server says. An attempt"]
)
def test_names_out_of_traffic_do_no_harm(name: str) -> None:
    """A pool may call itself whatever it likes: it is kept letter by letter, or the text is left as it came."""
    told = translated(f"It is traced to {name}: other evidence of mining at this point.", "zh")
    assert told is None or name in told


def test_a_long_text_takes_no_time() -> None:
    """Thousands of sentences out of a damaged document are no work."""
    assert translated("An attempt, not mining. " * 5_000, "zh") is None
    assert translated(json.dumps(["The host " * 2_000]), "zh") is None
