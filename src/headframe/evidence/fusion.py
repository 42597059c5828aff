"""One e-value from all detectors that looked at a subject, with the account of how it came about.

Three steps, each of which keeps the expectation under innocence at or below 1:

1. **Within a detector**, the mean over all its looks (conversations, names, points). A look that gave no finding counts
   as ``E = 0``: whoever looks a thousand times and keeps the best has proven nothing.
2. **Within a family**, and within families that read the same source, the weighted mean over the detectors that could
   answer. Never the sum, never the maximum.
3. **Over sources** that are independent given innocence, the mean of the products over all non-empty subsets::

       E = ((1 + E_1) (1 + E_2) ... (1 + E_K) - 1) / (2^K - 1)

   Each product of independent e-values is an e-value, and so is the mean of them. The plain product would be 0 as soon
   as one source shows nothing, as content does where traffic is encrypted. This mean loses at most a factor of
   ``2^K - 1`` against the best subset, which nobody knows beforehand, and with one source it is that source's e-value.

What counts as one source is judged with suspicion. Content, endpoint and traffic come from the same packets, and their
false alarms have common causes: a researcher's crawler both names a pool and speaks like a miner. So do load and
balance: they share the meter. Those are averaged. Timing is multiplied though it reads packets too: its chance is in
the *block times*, and its expectation is at most 1 given the packets, whatever they are, so that the product needs no
independence. (A comparison of peers without a clock has no such chance of its own; there the product is an assumption.)

References
----------
.. [1] Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 49(3), 2021, section 3
   (mean), section 4 (independent and sequential e-values, U-statistics). doi:10.1214/20-AOS2020
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from headframe.evidence.evalue import EValue, mixture
from headframe.records.finding import SOURCE_OF, Family, Finding, Insufficient, Role, independent_sources

MINING_ROLES = frozenset({Role.MINER, Role.PROXY})
"""What speaks against "nobody mines here". A contact or a probe is no mining; of a follower it is not known; a pool's
miners may be elsewhere, and those that are here have findings of their own."""

SUPPORTING_LOG10_E = 0.5
"""From here on evidence is more than "a bare mention" (Jeffreys, Theory of Probability, 3rd ed. 1961, appendix B:
grades at 10^0.5, 10, 10^1.5, 100). It sorts families into columns; nobody is listed or accused by it."""


class Standing(StrEnum):
    """On which side a family stands."""

    SUPPORTING = "supporting"
    """It shows mining, by at least a factor of 10^0.5."""
    CONTRADICTING = "contradicting"
    """It gave a value for every look, and the bet on mining lost at least a factor of 10^0.5."""
    SILENT = "silent"
    """It looked and has little to say. A detector that only ever reports matches cannot contradict: mining may hide."""
    MISSING = "missing"
    """Nothing of it could answer."""


class MergeRule(StrEnum):
    """What is taken for independent, given innocence."""

    BY_SOURCE = "by_source"
    """Families of one source are averaged, sources are multiplied. The default."""
    MEAN = "mean"
    """Nothing: all families are averaged. Valid under any dependence, and the only admissible symmetric rule there
    (up to mixing with 1)."""
    PRODUCT = "product"
    """All families. Only for somebody who can say why content and endpoint err independently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that one detector says of one subject in one period.

    Attributes
    ----------
    detector : str
    family : Family
    looks : int
        How often it looked and could tell: the conversations, names or points of this subject, in the unit that its
        false-match rate is counted in. 0: it could not answer.
    log10_e : tuple of float
        Evidence of the looks that gave a value; the others count as ``E = 0``. At most `looks` of them. [unitless]
    weight : float
        Stake within the family, above 0, fixed in advance.
    shortage : str
        What was lacking, where it could not answer.
    contradictions : tuple of str
        What speaks against mining, in words.

    Raises
    ------
    ValueError
        If there are more values than looks, a value is NaN or +inf, or the weight is not above 0 and finite.
    """

    detector: str
    family: Family
    looks: int
    log10_e: tuple[float, ...] = ()
    weight: float = 1.0
    shortage: str = ""
    contradictions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.log10_e) > self.looks:
            raise ValueError(
                f"{self.detector} gave {len(self.log10_e)} values in {self.looks} looks; count every look, "
                "those without a finding too"
            )
        if not 0.0 < self.weight < math.inf:
            raise ValueError(f"{self.detector}: a weight is finite and above 0, got {self.weight}")
        for value in self.log10_e:
            EValue(value)

    @property
    def mean(self) -> EValue:
        """The mean over all looks; 1, that is no evidence, where it could not look."""
        if self.looks == 0:
            return EValue(0.0)
        if not self.log10_e:
            return EValue(-math.inf)
        return EValue(_mean(self.log10_e) + math.log10(len(self.log10_e) / self.looks))


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyEvidence:
    """What one family shows.

    Attributes
    ----------
    family : Family
    standing : Standing
    log10_e : float
        0 where it is missing. [unitless]
    detectors : tuple of str
        Those that answered.
    looks : int
        Of all of them.
    contradictions, shortages : tuple of str
        What speaks against mining, and what was lacking, in words.
    """

    family: Family
    standing: Standing
    log10_e: float
    detectors: tuple[str, ...] = ()
    looks: int = 0
    contradictions: tuple[str, ...] = ()
    shortages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """The evidence of all families on one subject.

    Attributes
    ----------
    log10_e : float
        0 where nothing could answer; ``-inf`` where all looked and none saw anything. [unitless]
    rule : MergeRule
    by_family : dict of Family to FamilyEvidence
        Every expected family, in the order of `Family`.
    by_source : dict of str to float
        log10_e of each source that entered the product; one entry, ``all``, with `MergeRule.MEAN`. [unitless]
    assumptions : tuple of str
        What the number rests on, in sentences for the report.
    """

    log10_e: float
    rule: MergeRule
    by_family: Mapping[Family, FamilyEvidence]
    by_source: Mapping[str, float]
    assumptions: tuple[str, ...]

    def standing(self, standing: Standing) -> tuple[Family, ...]:
        """The families that stand so."""
        return tuple(family for family, evidence in self.by_family.items() if evidence.standing is standing)

    @property
    def supporting(self) -> tuple[Family, ...]:
        """Families that show mining."""
        return self.standing(Standing.SUPPORTING)

    @property
    def contradicting(self) -> tuple[Family, ...]:
        """Families that show its absence."""
        return self.standing(Standing.CONTRADICTING)

    @property
    def silent(self) -> tuple[Family, ...]:
        """Families that looked and have little to say."""
        return self.standing(Standing.SILENT)

    @property
    def missing(self) -> tuple[Family, ...]:
        """Families that could not answer."""
        return self.standing(Standing.MISSING)

    @property
    def supporting_sources(self) -> int:
        """In how many independent sources a family supports: a notice takes two, an information letter one."""
        return len(independent_sources(self.supporting))


def fuse(
    answers: Iterable[Answer], *, rule: MergeRule = MergeRule.BY_SOURCE, expected: Iterable[Family] = tuple(Family)
) -> Fused:
    """Merge what the detectors say of one subject in one period.

    The result is an e-value for "nobody mines here" if each answer's values are, if whether a detector could answer
    does not depend on what it would have said, and if the sources that `rule` multiplies are independent given
    innocence. It does not hold for an innocent subject that follows the chain (a node, an explorer): that is a
    hypothesis of its own, which the detectors must tell apart.

    Parameters
    ----------
    answers : iterable of Answer
        One for each detector that was run on the subject, also where it found nothing. Leaving the silent ones out
        would be choosing by result.
    rule : MergeRule
        Fixed in advance.
    expected : iterable of Family
        Families to account for; those without an answer are missing.

    Returns
    -------
    Fused

    Raises
    ------
    ValueError
        If a detector answers twice.

    Examples
    --------
    >>> fused = fuse([
    ...     Answer(detector="stratum", family=Family.CONTENT, looks=40),
    ...     Answer(detector="chain_sync", family=Family.TIMING, looks=1, log10_e=(6.0,)),
    ... ])
    >>> fused.supporting, fused.silent, round(fused.log10_e, 2)
    ((<Family.TIMING: 'timing'>,), (<Family.CONTENT: 'content'>,), 5.52)
    """
    given = sorted(answers, key=lambda answer: (answer.family, answer.detector))
    names = [answer.detector for answer in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two answers of {', '.join(twice)}: a detector answers once, with all its looks")
    present = {answer.family for answer in given} | set(expected)
    by_family = {
        family: _family_evidence(family, [answer for answer in given if answer.family is family])
        for family in Family
        if family in present
    }
    answered = [evidence for evidence in by_family.values() if evidence.standing is not Standing.MISSING]
    sources: dict[str, list[FamilyEvidence]] = {}
    for evidence in answered:
        name = {
            MergeRule.MEAN: "all",
            MergeRule.BY_SOURCE: SOURCE_OF[evidence.family],
            MergeRule.PRODUCT: evidence.family.value,
        }[rule]
        sources.setdefault(name, []).append(evidence)
    by_source = {name: _mean([part.log10_e for part in parts]) for name, parts in sources.items()}
    return Fused(
        log10_e=mean_of_products(by_source.values()).log10,
        rule=rule,
        by_family=by_family,
        by_source=by_source,
        assumptions=_assumptions(sources),
    )


def mean_of_products(log10_e: Iterable[float]) -> EValue:
    """Mean of the products over all non-empty subsets of independent e-values: ``(prod(1 + E_k) - 1) / (2^K - 1)``.

    Parameters
    ----------
    log10_e : iterable of float
        Independent under innocence, or each with conditional expectation at most 1 given the others. [unitless]

    Returns
    -------
    EValue
        1 where there is none.

    Raises
    ------
    ValueError
        If a value is NaN or +inf.

    Examples
    --------
    >>> round(10 ** mean_of_products([math.log10(2.0), math.log10(5.0)]).log10, 9)  # (2 + 5 + 10) / 3
    5.666666667

    References
    ----------
    .. [1] Vovk and Wang, Annals of Statistics 49(3), 2021, section 4 (U-statistics). doi:10.1214/20-AOS2020
    """
    logarithms = [EValue(value).log10 * math.log(10.0) for value in log10_e]
    if not logarithms:
        return EValue(0.0)
    grown = math.fsum(
        max(value, 0.0) + math.log1p(math.exp(-abs(value))) for value in logarithms
    )  # ln of prod(1 + E_k)
    if grown == 0.0:
        return EValue(-math.inf)
    # ln(e^g - 1) = g + ln(1 - e^-g): no overflow for large g, no cancellation for small.
    log_sum = grown + math.log(-math.expm1(-grown))
    return EValue((log_sum - math.log(2.0 ** len(logarithms) - 1.0)) / math.log(10.0))


def answers_of(
    findings: Iterable[Finding],
    insufficient: Iterable[Insufficient] = (),
    *,
    detectors: Mapping[str, Family],
    looks: Mapping[str, int],
    roles: frozenset[Role] = MINING_ROLES,
) -> list[Answer]:
    """Sort the findings on one subject and period into one answer per detector.

    Parameters
    ----------
    findings : iterable of Finding
        All on the subject. One with a role outside `roles` (a contact, a probe) is no evidence of mining: it counts as
        a look that showed nothing, and is named among the contradictions.
    insufficient : iterable of Insufficient
        What could not be answered.
    detectors : mapping of str to Family
        Every detector that was run, by name.
    looks : mapping of str to int
        How often each could tell; see `Answer`. A detector that is not in it could not.
    roles : frozenset of Role
        What counts as mining.

    Returns
    -------
    list of Answer
        One for each of `detectors`, in order of name.

    Raises
    ------
    ValueError
        If one is of a detector that is not in `detectors`, or there are more findings than looks.
    """
    found: dict[str, list[Finding]] = {name: [] for name in detectors}
    for finding in findings:
        if finding.detector not in found:
            raise ValueError(f"a finding of {finding.detector}, which is not among those that were run")
        found[finding.detector].append(finding)
    lacking: dict[str, dict[str, None]] = {name: {} for name in detectors}
    for shortage in insufficient:
        if shortage.detector not in lacking:
            raise ValueError(f"{shortage.detector} could not answer, but is not among those that were run")
        lacking[shortage.detector][shortage.missing] = None
    answers = []
    for name in sorted(detectors):
        against = {text: None for finding in found[name] for text in finding.contradictions}
        for role in sorted({finding.role for finding in found[name]} - roles):
            count = sum(finding.role is role for finding in found[name])
            what = "of which it is not known whether it mines" if role is Role.FOLLOWER else "which is not mining"
            against[f"{name}: {count} as {role.value}, {what}."] = None
        counted = looks.get(name, 0)
        if counted < len(found[name]):
            raise ValueError(f"{name} has {len(found[name])} findings in {counted} looks; count every look")
        answers.append(
            Answer(
                detector=name,
                family=detectors[name],
                looks=counted,
                log10_e=tuple(finding.log10_e for finding in found[name] if finding.role in roles),
                shortage=" ".join(lacking[name]),
                contradictions=tuple(against),
            )
        )
    return answers


def _mean(log10_e: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """`mixture`, without its cost where there is one value: that is the common case, once for each site."""
    return log10_e[0] if len(log10_e) == 1 else float(mixture(log10_e, weights))


def _family_evidence(family: Family, answers: list[Answer]) -> FamilyEvidence:
    able = [answer for answer in answers if answer.looks]
    shortages = [f"{answer.detector}: {answer.shortage}" for answer in answers if answer.shortage]
    if not answers:
        shortages.append(f"No detector of the family {family.value} was run.")
    if not able:
        standing, log10_e = Standing.MISSING, 0.0
    else:
        log10_e = _mean([answer.mean.log10 for answer in able], [answer.weight for answer in able])
        valued_throughout = all(len(answer.log10_e) == answer.looks for answer in able)
        if log10_e >= SUPPORTING_LOG10_E:
            standing = Standing.SUPPORTING
        elif log10_e <= -SUPPORTING_LOG10_E and valued_throughout:
            standing = Standing.CONTRADICTING
        else:
            standing = Standing.SILENT
    return FamilyEvidence(
        family=family,
        standing=standing,
        log10_e=log10_e,
        detectors=tuple(answer.detector for answer in able),
        looks=sum(answer.looks for answer in able),
        contradictions=tuple(text for answer in answers for text in answer.contradictions),
        shortages=tuple(shortages),
    )


def _assumptions(sources: Mapping[str, list[FamilyEvidence]]) -> tuple[str, ...]:
    """What a reader must grant for the number to hold."""
    sentences = []
    for parts in sources.values():
        if len(parts) > 1:
            names = ", ".join(part.family.value for part in parts)
            sentences.append(f"Averaged, because their errors may have common causes: {names}.")
    if len(sources) < 2:
        return tuple(sentences)
    sentences.append(f"Multiplied, as independent for a subject that does not mine: {', '.join(sources)}.")
    multiplied: dict[str, list[str]] = {}
    for part in (parts[0] for parts in sources.values()):
        multiplied.setdefault(SOURCE_OF[part.family], []).append(part.family.value)
    for source, names_of_source in multiplied.items():
        if len(names_of_source) > 1:
            names = ", ".join(names_of_source)
            sentences.append(f"In doubt: {names} share their source ({source}) and are multiplied all the same.")
    if "timing" in multiplied.get(SOURCE_OF[Family.TIMING], []):
        sentences.append("Timing by a block clock holds whatever the packets are, if the subject does not follow it.")
    return tuple(sentences)
