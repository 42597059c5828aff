"""Findings for other programs: valid by the standards' own validators, and without a party in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import missing
from findings_to_export import START, pseudonym, stored, stored_load

from headframe.records.indicator import IndicatorKind
from headframe.reports.exchange import outward, peer_parts
from headframe.reports.ocsf import ocsf_events, ocsf_lines
from headframe.reports.stix import TLP, stix_bundle, stix_json

SECRETS = ("10.20.30.40", "MPAN-200012345", "S-SECRET", "Secret Works", "abcdef=", "0011223344556677", "a.pcap")
FINDINGS = [
    stored(1),
    stored(2, peer="[2001:db8::7]:443"),
    stored(3, kinds=(IndicatorKind.MALWARE_PROXY,), peer="198.51.100.9:8080"),
    stored_load(),
]


def nobodys(address: str) -> bool:
    """No address but private ones and subjects is a party's."""
    return False


def bundle(*, reveal: bool = False, tlp: str = "amber") -> dict[str, Any]:
    """A bundle of all findings."""
    return stix_bundle(FINDINGS, pseudonym=pseudonym, is_a_partys=nobodys, reveal=reveal, tlp=tlp)


def validator() -> Any:
    """The validator of OASIS, if its schemas came with it; without them it validates nothing."""
    module = pytest.importorskip("stix2validator")
    folder = Path(module.__file__).parent
    if not any(folder.glob("schemas-2.1/schemas/**/*.json")):
        missing("stix2-validator 3.3.1 comes without its schemas; 3.2.0 has them")
    return module


@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize("tlp", sorted(TLP))
def test_the_bundle_is_stix(reveal: bool, tlp: str) -> None:
    """OASIS' validator finds no error, and warns only of what we do on purpose.

    103: identifiers that follow from content are of version 5, and STIX prefers 4. 301: the other side's port is known,
    the host's own changes from session to session.
    """
    module = validator()
    options = module.ValidationOptions(version="2.1")
    result = module.validate_instance(bundle(reveal=reveal, tlp=tlp), options)
    assert result.is_valid, [str(error) for error in result.errors]
    assert all("{103}" in str(one) or "{301}" in str(one) for one in result.warnings), result.warnings


def test_the_bundle_is_read_by_the_standard_library_of_stix() -> None:
    """Patterns and references hold together."""
    stix2 = pytest.importorskip("stix2")
    read = stix2.parse(bundle(), allow_custom=True)
    assert len(read.objects) == len(bundle()["objects"])
    by_id = {one["id"]: one for one in bundle()["objects"]}
    for one in by_id.values():
        for key, value in one.items():
            for name in value if isinstance(value, list) else [value]:
                if key.endswith(("_ref", "_refs")):
                    assert name in by_id, (one["id"], key)


def test_the_same_findings_give_the_same_bundle() -> None:
    """Identifiers follow from content; what is shared is there once; pseudonyms and addresses do not meet."""
    assert stix_json(bundle()) == stix_json(bundle())
    kinds = [one["type"] for one in bundle()["objects"]]
    assert kinds.count("indicator") == 3
    assert kinds.count("sighting") == 3
    assert kinds.count("observed-data") == 4
    assert kinds.count("x-headframe-subject") == 2
    hidden, open_ = ({one["id"] for one in bundle(reveal=told)["objects"]} for told in (False, True))
    shared = {name.partition("--")[0] for name in hidden & open_}
    assert shared <= {"identity", "marking-definition", "extension-definition", "indicator", "ipv4-addr", "ipv6-addr"}


def test_what_is_malicious_is_said_of_the_endpoint_alone() -> None:
    """A malware proxy is malicious; a pool is not; a host never is."""
    types = {one["name"]: one["indicator_types"] for one in bundle()["objects"] if one["type"] == "indicator"}
    assert types["Mining endpoint 198.51.100.9"] == ["malicious-activity"]
    assert types["Mining endpoint 203.0.113.5"] == ["anomalous-activity"]


def test_what_is_malicious_holds_whoever_was_heard_first() -> None:
    """A detector that knows an endpoint only by its timing does not hide what another knows it to be."""
    known, heard = stored(1, kinds=(IndicatorKind.MALWARE_PROXY,)), stored(2, kinds=())
    for order in ([known, heard], [heard, known]):
        made = stix_bundle(order, pseudonym=pseudonym, is_a_partys=nobodys)
        (indicator,) = (one for one in made["objects"] if one["type"] == "indicator")
        assert indicator["indicator_types"] == ["malicious-activity"]


def test_objects_of_one_identifier_are_the_same_in_every_export() -> None:
    """Made again, of a part of the findings, for other readers: a platform that takes all of them has no conflict."""
    kept: dict[str, dict[str, Any]] = {}
    ref = replace(FINDINGS[0].ref, ended_ns=FINDINGS[0].ref.ended_ns + 10**15)
    longer = [replace(FINDINGS[0], ref=ref), *FINDINGS[1:]]
    for findings in (FINDINGS, FINDINGS, FINDINGS[:1], longer):
        for reveal in (False, True):
            made = stix_bundle(findings, pseudonym=pseudonym, is_a_partys=nobodys, reveal=reveal)
            for one in made["objects"]:
                assert kept.setdefault(one["id"], one) == one
    assert bundle() == bundle()
    assert len({one["id"] for one in kept.values() if one["type"] == "indicator"}) > 3


@pytest.mark.parametrize("form", ["stix", "ocsf"])
def test_no_party_leaves(form: str) -> None:
    """Neither address nor meter, nor site, nor what could be turned back into one; unless asked, and then no site."""

    def text(reveal: bool) -> str:
        if form == "stix":
            return stix_json(bundle(reveal=reveal))
        events = ocsf_events(FINDINGS, created_ns=START, pseudonym=pseudonym, is_a_partys=nobodys, reveal=reveal)
        return "".join(ocsf_lines(events))

    assert not [secret for secret in SECRETS if secret in text(False)]
    assert [secret for secret in SECRETS if secret in text(True)] == ["10.20.30.40", "MPAN-200012345"]
    assert "people decide" in text(False)


def test_ocsf_events_are_detection_findings() -> None:
    """The models of OCSF take every event, and every key of it is one that they know."""
    models = pytest.importorskip("py_ocsf_models.events.findings.detection_finding")
    for reveal in (False, True):
        for event in ocsf_events(FINDINGS, created_ns=START, pseudonym=pseudonym, is_a_partys=nobodys, reveal=reveal):
            read = models.DetectionFinding.model_validate(event)
            assert read.type_uid == 200401
            assert set(event) <= set(models.DetectionFinding.model_fields)
            assert set(event["finding_info"]) <= set(type(read.finding_info).model_fields)
            assert set(event["metadata"]) <= set(type(read.metadata).model_fields)
            assert set(event["finding_info"]["analytic"]) <= set(type(read.finding_info.analytic).model_fields)
            json.loads(next(ocsf_lines([event])))


def test_ocsf_says_how_sure_not_how_bad() -> None:
    """Severity is informational always; confidence follows the evidence."""
    events = [
        next(iter(ocsf_events([stored(log10_e=e)], created_ns=START, pseudonym=pseudonym, is_a_partys=nobodys)))
        for e in (1.0, 3.0, 6.5)
    ]
    assert [one["confidence_id"] for one in events] == [1, 2, 3]
    assert {one["severity_id"] for one in events} == {1}
    assert next(
        iter(ocsf_events([stored(log10_e=float("nan"))], created_ns=START, pseudonym=pseudonym, is_a_partys=nobodys))
    )


def test_a_subject_is_not_cut_out_of_longer_words() -> None:
    """198.51.100.4 is not in 198.51.100.40."""
    finding = stored(host="198.51.100.4", explanation="198.51.100.4 met 198.51.100.40 and 198.51.100.4.example.")
    told = outward(finding, reveal=False, pseudonym=lambda subject: "#p", is_a_partys=nobodys).text
    assert told == "#p met 198.51.100.40 and 198.51.100.4.example."
    finding = stored(host="10.20.30.4", explanation="10.20.30.4:51234 asked.")
    assert outward(finding, reveal=False, pseudonym=lambda subject: "#p", is_a_partys=nobodys).text == "#p:51234 asked."


def test_a_transformer_and_a_neighbours_meter_do_not_leave() -> None:
    """In the words of the balance itself: with a dozen points below it, a transformer says nearly who it is."""
    finding = stored_load()
    words = (
        "The head meter of transformer Mill Lane T2 (class 0.5S) shows a mean of 8.3 kW, its 11 points 6.0 kW. "
        "No meter shows 2.1 kW in proportion to what MPAN-777 meters, since 2026-06-11. "
        "It is traced to MPAN-200012345: why."
    )
    finding = replace(finding, document={**finding.document, "explanation": words})
    text = outward(finding, reveal=False, pseudonym=pseudonym, is_a_partys=nobodys).text
    assert not [name for name in ("Mill Lane", "T2", "MPAN-777", "MPAN-200012345") if name in text]
    assert f"in proportion to what {pseudonym('MPAN-777')} meters" in text
    assert outward(finding, reveal=True, pseudonym=pseudonym, is_a_partys=nobodys).text == words


def test_another_host_of_the_network_does_not_leave_as_the_other_side() -> None:
    """A proxy inside is a host of some party, maybe a victim; a pool outside is what others look for."""
    told = outward(stored(peer="10.20.30.77:3333"), reveal=False, pseudonym=pseudonym, is_a_partys=nobodys)
    assert (told.peer_address, told.peer_port) == ("", None)
    assert "10.20.30.77" not in told.text
    assert outward(stored(), reveal=False, pseudonym=pseudonym, is_a_partys=nobodys).peer_address == "203.0.113.5"
    assert (
        outward(stored(peer="10.20.30.77:3333"), reveal=True, pseudonym=pseudonym, is_a_partys=nobodys).peer_port
        == 3333
    )


@pytest.mark.parametrize(("other", "port"), [("192.0.2.130", 3333), ("2001:db8:7::130", 443)])
@pytest.mark.parametrize("form", ["stix", "ocsf"])
def test_a_public_address_of_a_party_does_not_leave_as_the_other_side(form: str, other: str, port: int) -> None:
    """A campus has public addresses: one that the registry assigns is told as a subject is, here and in all words."""
    peer = f"[{other}]:{port}" if ":" in other else f"{other}:{port}"
    words = (
        f"It speaks to {peer} and to {other}, also seen as {other}:{port}. Then {other}. "
        "A pool at 203.0.113.5:3333 answers at 12:30:01, as does 2001:db8:9::5."
    )
    finding = stored(peer=peer, explanation=words)

    def text(reveal: bool, is_a_partys: Callable[[str], bool]) -> str:
        if form == "stix":
            return stix_json(stix_bundle([finding], pseudonym=pseudonym, is_a_partys=is_a_partys, reveal=reveal))
        return "".join(
            ocsf_lines(
                ocsf_events([finding], created_ns=START, pseudonym=pseudonym, is_a_partys=is_a_partys, reveal=reveal)
            )
        )

    hidden = text(False, lambda address: address == other)
    assert other not in hidden
    assert "Mining endpoint" not in hidden
    assert f"{pseudonym(other)}:{port}. Then {pseudonym(other)}. A pool at 203.0.113.5:3333" in hidden
    assert "12:30:01, as does 2001:db8:9::5." in hidden
    assert other in text(True, lambda address: address == other)
    assert other in text(False, nobodys), "what nobody has is what others look for"


def test_nothing_is_refused_in_words() -> None:
    """No findings, or a marking that is none."""
    with pytest.raises(ValueError, match="no finding"):
        stix_bundle([], pseudonym=pseudonym, is_a_partys=nobodys)
    with pytest.raises(ValueError, match="white, green, amber, red"):
        stix_bundle(FINDINGS, pseudonym=pseudonym, is_a_partys=nobodys, tlp="blue")
    assert peer_parts("a.example:80") == ("", None)
    assert peer_parts("203.0.113.5:99999") == ("203.0.113.5", None)
