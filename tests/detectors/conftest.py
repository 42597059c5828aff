"""Every text that a detector's test brings out has a form in each language of the documents."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headframe.records.finding import Finding, Insufficient
from headframe.records.load_finding import CounterHypothesis, LoadFinding, LoadInsufficient, UsagePointResult
from headframe.reports.case_documents.translated import translated

_SAID: dict[type[Any], Callable[[Any], tuple[str, ...]]] = {
    Finding: lambda found: (found.explanation, *found.contradictions, *found.blind_spots),
    Insufficient: lambda lack: (lack.missing,),
    LoadFinding: lambda found: (found.explanation, *found.contradictions, *found.blind_spots),
    LoadInsufficient: lambda lack: (lack.missing,),
    CounterHypothesis: lambda other: (other.text,),
    UsagePointResult: lambda row: (row.explanation,),
}


@pytest.fixture(autouse=True)
def every_text_is_translated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Records are listened to while the test runs; what no form fits is told with the test that brought it out."""
    said: dict[str, None] = {}

    def listen(record: type[Any], texts: Callable[[Any], tuple[str, ...]]) -> None:
        plain = record.__init__

        def made(self: Any, *values: Any, **named: Any) -> None:
            plain(self, *values, **named)
            said.update(dict.fromkeys(texts(self)))

        monkeypatch.setattr(record, "__init__", made)

    for record, texts in _SAID.items():
        listen(record, texts)
    yield
    unknown = [text for text in said if text and translated(text, "zh") is None]
    assert not unknown, f"no form in detector_sentences_zh.py fits: {unknown[:3]}"
