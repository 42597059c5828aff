"""Detectors' words in the language of a document: sentence by sentence, by the forms of the catalogue.

A finding's document is sealed as the detector wrote it, in English. Here its sentences are recognised by their forms,
so that a letter in Chinese holds them in Chinese, those of findings that were imported years ago included. A text of
which any sentence has no form is not translated by halves: it stays as it came, and whoever shows it says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from headframe.records.policy import CalculationSheet
from headframe.reports.case_documents import words_en, words_zh
from headframe.reports.case_documents.casework_sentences_zh import CASEWORK_PARTS, CASEWORK_SENTENCES
from headframe.reports.case_documents.detector_sentences_zh import DETECTOR_PARTS, DETECTOR_SENTENCES, MINING_ERRORS
from headframe.reports.case_documents.detector_words_zh import DETECTOR_WORDS
from headframe.reports.case_documents.speech import METRICS

_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z0-9])")
_VALUE = r"(?:(?!\. [A-Z]).)+?"
"""Of a place: never more than one sentence, or a form would swallow the next one."""
_LONGEST = 40
"""Sentences of one text; a detector's have ten at most, a measurement's fifteen."""
_INSTANT = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})(?: (\d{2}:\d{2}(?::\d{2})?))?\b", re.ASCII)
_HAN = re.compile("[\u4e00-\u9fff]")
_LENGTHS = {"min": "分钟", "s": "秒", "h": "小时"}
_KINDS = {"households": "住户", "commercial points": "工商业用电户号", "points": "用电户号"}
_PEERS = re.compile(
    r"(?P<kind>households|commercial points|points)(?: of tariff class (?P<tariff>.+?))?"
    r"(?: of (?P<low>[\d.e+]+) to (?P<high>[\d.e+]+) kW mean)?(?: in (?P<region>.+?))?(?P<others> of other utilities)?"
)
_TIMES = re.compile(r"once|(?P<n>[\d,]+) times")
_LENGTH = re.compile(r"(?P<n>[\d.,]+) (?P<unit>min|s|h)")
_PLACES = re.compile(r"(?P<what>.+?)(?: in (?P<n>[\d,]+) conversations)?")
_OVER = re.compile(r"(?P<server>.+?) over (?P<protocol>\S+)(?: in (?P<n>[\d,]+) conversations)?")
_COIN = re.compile(r"(?P<coin>[A-Z0-9]{2,12})(?P<test> \(test network\))?")
_ERROR = re.compile(r"(?P<what>.+?) \((?P<times>once|[\d,]+ times)\)(?:, |\Z)")


def translated(text: str, language: str) -> str | None:
    """A detector's text in another language.

    Parameters
    ----------
    text : str
        One sentence or several; or what a detector lacked, which has no full stop.
    language : str
        As of a `Speech`.

    Returns
    -------
    str or None
        None where any of its sentences has no form in that language. English is its own.

    Examples
    --------
    >>> translated("The server handed out work once. An attempt, not mining.", "zh")
    '服务器下发任务1次。属于尝试，并非挖矿。'
    >>> translated("Somebody else's detector says so.", "zh")
    """
    if language == "en":
        return text
    if language != "zh":
        return None
    return _chinese(text)


def sheet_in(sheet: CalculationSheet, language: str) -> tuple[CalculationSheet, bool]:
    """A calculation sheet in another language: title, labels, sources and limits; quantities and rules stay.

    Parameters
    ----------
    sheet : CalculationSheet
    language : str
        As of a `Speech`.

    Returns
    -------
    CalculationSheet
    bool
        Whether all of it is in that language; what has no form in it stands as it came.
    """
    whole = True

    def told(text: str) -> str:
        nonlocal whole
        chinese = _HAN.search(text) is not None
        if not text or chinese == (language == "zh"):
            return text
        found = None if chinese else translated(text, language)
        # A reference or a name of one word is no sentence that could be told in another language.
        whole = whole and (found is not None or not (chinese or " " in text))
        return text if found is None else found

    made = replace(
        sheet,
        title=told(sheet.title),
        lines=tuple(replace(line, label=told(line.label), source=told(line.source)) for line in sheet.lines),
        caveats=tuple(told(line) for line in sheet.caveats),
    )
    return made, whole


@lru_cache(maxsize=4096)
def _chinese(text: str) -> str | None:
    ends = [0, *(found.end() for found in _SENTENCE_END.finditer(text)), len(text) + 1]
    if len(ends) > _LONGEST:
        return None
    # The last place from which on all is translated moves to the front: no text takes long, whatever is in it.
    known: list[str | None] = [None] * len(ends)
    known[-1] = ""
    for begin in range(len(ends) - 2, -1, -1):
        for end in range(begin + 1, len(ends)):
            if (rest := known[end]) is not None:
                sentence = text[ends[begin] : ends[end] - 1]
                if (told := _sentence(sentence)) is not None:
                    known[begin] = told + rest
                    break
    return known[0]


def _sentence(text: str) -> str | None:
    if (standing := DETECTOR_WORDS.get(text)) is not None:
        return standing
    return _by_form(text, _sentences())


def _part(text: str) -> str | None:
    """A piece of a sentence; or one with its capital or full stop changed, as detectors build them in."""
    if (told := _by_form(text, _pieces())) is not None:
        return told
    for whole in (text, text + "."):
        if (told := _chinese(whole)) is not None:
            return told if text.endswith(".") else told.removesuffix("。")
    return None


def _by_form(text: str, forms: tuple[tuple[str, re.Pattern[str], Mapping[str, str], str], ...]) -> str | None:
    for begin, pattern, kinds, form in forms:
        if text.startswith(begin) and (found := pattern.fullmatch(text)):
            values = {name: _value(value, kinds[name]) for name, value in found.groupdict().items()}
            if all(value is not None for value in values.values()):
                return form.format(**values)
    return None


def _value(text: str, kind: str) -> str | None:
    return _KINDS_OF_VALUE.get(kind, _plain)(text)


def _plain(text: str) -> str:
    """A value that is no sentence; dates in it are written as they are in Chinese."""
    return _INSTANT.sub(
        lambda found: f"{found[1]}年{int(found[2])}月{int(found[3])}日{found[4] or ''}", text.replace(", ...", "等")
    )


def _parts(text: str, separator: str, joint: str) -> str | None:
    told = [_part(one) for one in text.split(separator)]
    return None if None in told else joint.join(one for one in told if one is not None)


def _times(text: str) -> str | None:
    found = _TIMES.fullmatch(text)
    return None if found is None else f"{found['n'] or 1}次"


def _length(text: str) -> str | None:
    found = _LENGTH.fullmatch(text)
    return None if found is None else f"{found['n']}{_LENGTHS[found['unit']]}"


def _place(text: str) -> str | None:
    found = _PLACES.fullmatch(text)
    return None if found is None else found["what"] + (f"（{found['n']}次通信）" if found["n"] else "")


def _over(text: str) -> str | None:
    found = _OVER.fullmatch(text)
    if found is None:
        return None
    several = f"，{found['n']}次通信" if found["n"] else ""
    return f"{found['server']}（{found['protocol']}{several}）"


def _coin(text: str) -> str | None:
    found = _COIN.fullmatch(text)
    if found is None:
        return "流量未指明的币种" if text == "a coin that the traffic does not name" else None
    return found["coin"] + ("（测试网络）" if found["test"] else "")


def _metrics(text: str) -> str | None:
    names = text.split(" and ")
    told = [_METRICS.get(name.replace("_", " ")) for name in names]
    return None if None in told else "、".join(name for name in told if name)


def _end(text: str) -> str | None:
    """How a comparison ends: with a full stop alone, or with what speaks for it or against it."""
    bare = text.removesuffix(".")
    told = "" if not bare else _by_form(bare, _pieces())
    return None if told is None else told + ("。" if bare != text else "")


def _entries(text: str) -> str | None:
    """Entries of registers, one after the other; what people called them stays."""
    told, place = [], 0
    for found in _ENTRY.finditer(text):
        kind = _KINDS_OF_ENTRY.get(found["kind"])
        if found.start() != place or kind is None:
            return None
        whom = "、".join(_WHOM[one.rpartition(" ")[0]] + one.rpartition(" ")[2] for one in found["whom"].split(" and "))
        limit = f"，至多{found['limit']}" if found["limit"] else ""
        source = _ROW.sub(_FILE_ROW, found["source"])
        told.append(f"{found['name']}（{kind}，{whom}，{_valid(found['valid'])}{limit}；{source}）")
        place = found.end()
    more = _MORE_ENTRIES.fullmatch(text, place)
    if place != len(text) and more is None:
        return None
    return "；".join(told) + (f"；另有{more['n']}项" if more else "") if told else None


def _valid(text: str) -> str:
    if text == "without a date":
        return "未载明日期"
    if text.startswith("from "):
        return f"自{_plain(text[5:].removesuffix(' on'))}起"
    if text.startswith("to "):
        return f"至{_plain(text[3:])}"
    return _plain(text.replace(" to ", "至"))


def _gap(text: str) -> str | None:
    told = [_by_form(one, _pieces()) for one in text.split("; ")]
    return None if None in told else "；".join(one for one in told if one)


_METRICS = {
    told: words_zh.TEXTS[f"metric.{key}"]
    for key in METRICS
    # Sentences name a metric by its key, or as the English catalogue does.
    for told in (key.replace("_", " "), words_en.TEXTS[f"metric.{key}"].lower())
}
_ENTRY = re.compile(
    r"(?:; )?(?P<name>[^;(]+?) \((?P<kind>[a-z ]+?) for (?P<whom>[^;,]+), "
    r"(?P<valid>without a date|from \S+ on|to \S+|\S+ to [^\s,;]+)(?:, up to (?P<limit>[^;]+))?; (?P<source>[^;]*?)\)"
    r"(?=; |\Z)"
)
_MORE_ENTRIES = re.compile(r"; and (?P<n>\d+) more")
_KINDS_OF_ENTRY = {
    "licence": "许可", "registration": "登记", "filed research": "备案科研", "tariff agreement": "用电协议",
    "exemption": "豁免",
}  # fmt: skip
_WHOM = {"site": "场所", "organisation": "单位", "usage point": "用电户号"}
_BASES = {"statutory": "法定", "policy": "政策文件规定", "operator_default": "运营者默认值"}
_ROW = re.compile(r"(?P<file>.+) row (?P<n>\d+)")
_FILE_ROW = r"\g<file>第\g<n>行"
_MORE_STRETCHES = re.compile(r" and (\d+) more stretches\Z")
_RANGE = re.compile(r"(?P<at>.+?) \((?P<low>.+) to (?P<high>.+)\)")


def _peers(text: str) -> str | None:
    found = _PEERS.fullmatch(text)
    if found is None:
        return None
    before = (
        f"{found['region']}的" if found["region"] else "",
        "其他供电单位的" if found["others"] else "",
        f"电价类别为{found['tariff']}的" if found["tariff"] else "",
        f"平均{found['low']}至{found['high']} kW的" if found["low"] else "",
    )
    return "".join(before) + _KINDS[found["kind"]]


def _errors(text: str) -> str | None:
    told, place = [], 0
    for found in _ERROR.finditer(text):
        what, times = _by_form(found["what"], _mining_errors()), _times(found["times"])
        if found.start() != place or what is None or times is None:
            return None
        told.append(f"{what}（{times}）")
        place = found.end()
    return "、".join(told) if told and place == len(text) else None


_KINDS_OF_VALUE: Mapping[str, Callable[[str], str | None]] = {
    "part": _part,
    "listed": lambda text: _parts(text, ", ", "、"),
    "reasons": lambda text: _parts(text, "; ", "；"),
    "times": _times,
    "length": _length,
    "place": _place,
    "over": _over,
    "coin": _coin,
    "peers": _peers,
    "errors": _errors,
    "metrics": _metrics,
    "end": _end,
    "entries": _entries,
    "gap": _gap,
    "basis": _BASES.get,
    "row": lambda text: _ROW.sub(_FILE_ROW, text),
    "range": lambda text: _RANGE.sub(r"\g<at>（\g<low>至\g<high>）", text),
    "stretches": lambda text: _plain(_MORE_STRETCHES.sub(r"等另\1段", text).replace(" to ", "至").replace(", ", "、")),
}
"""Kinds of values that stand in a place of a form; one without a kind is `_plain`."""


def _compiled(forms: Mapping[str, str]) -> tuple[tuple[str, re.Pattern[str], Mapping[str, str], str], ...]:
    made = []
    for english, chinese in forms.items():
        kinds = {found[1]: found[2] or "" for found in _PLACE.finditer(english)}
        pieces = _PLACE.split(english)
        pattern = "".join(
            re.escape(piece) if k % 3 == 0 else f"(?P<{piece}>{_VALUE})" if k % 3 == 1 else ""
            for k, piece in enumerate(pieces)
        )
        made.append((pieces[0], re.compile(pattern, re.DOTALL), kinds, chinese))
    return tuple(made)


@lru_cache(maxsize=1)
def _sentences() -> tuple[tuple[str, re.Pattern[str], Mapping[str, str], str], ...]:
    return _compiled({**DETECTOR_SENTENCES, **CASEWORK_SENTENCES})


@lru_cache(maxsize=1)
def _pieces() -> tuple[tuple[str, re.Pattern[str], Mapping[str, str], str], ...]:
    return _compiled({**DETECTOR_PARTS, **CASEWORK_PARTS})


@lru_cache(maxsize=1)
def _mining_errors() -> tuple[tuple[str, re.Pattern[str], Mapping[str, str], str], ...]:
    return _compiled(MINING_ERRORS)
