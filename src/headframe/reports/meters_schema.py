"""JSON Schema (2020-12) of a row of ``headframe meters``, made from the same enums that the records use.

``python -m headframe.reports.meters_schema`` prints it; ``docs/schema-usage-point.json`` holds what it prints, and a
test compares the two.
"""

import json
from typing import Any

from headframe.records.finding import Family
from headframe.records.load_finding import Mode, Standing
from headframe.reports.meters import MOST_COURSE_VALUES, SCHEMA_VERSION
from headframe.reports.schema import count_of, instant_of, interval_of, nullable_string, string, strings


def usage_point_schema() -> dict[str, Any]:
    """The schema of one object of ``--format jsonl``, and of each member of ``usage_points`` in ``--format json``.

    It does not forbid keys that it does not know: a later minor version may add some.

    Returns
    -------
    dict
        A JSON Schema, draft 2020-12.
    """
    onset = _object(
        "Since when, with its 95 % interval. Null where nothing was estimated, or where the load ran before the data "
        "began (mode tells which).",
        {name: instant_of(what) for name, what in (
            ("earliest", "Lower end."), ("estimate", "Likeliest."), ("latest", "Upper end."),
        )},
        nullable=True,
    )  # fmt: skip
    properties: dict[str, Any] = {
        "schema_version": {
            "const": SCHEMA_VERSION,
            "description": "Version of this schema, major.minor. A reader that knows 1.0 can read every 1.x.",
        },
        "usage_point": string("Identifier of the supply point, as the readings name it."),
        "site": _object(
            "Site of the usage point over the period, by the registry that --sites names.",
            {
                "site_id": nullable_string("Null where it is not known."),
                "name": nullable_string("Null where it is not known."),
                "note": nullable_string("Why it is not known for sure."),
            },
        ),
        "period": _object(
            "What the row speaks of.",
            {"start": instant_of("Start of the first interval."), "end": instant_of("End of the last interval.")},
        ),
        "zone": string(
            "Zone whose days explanation and the other sentences tell, an IANA name. Instants are UTC. Since 1.1."
        ),
        "listed": _boolean("On the list at the false discovery rate fdr."),
        "worth_a_look": _boolean("Stands out among comparable points, whether or not the list holds it."),
        "fdr": _number("False discovery rate of the list.", low=0, high=1),
        "adjusted_rate": _number("Smallest false discovery rate at which it would be listed.", low=0, high=1),
        "score": _nullable_number(
            "Higher is more mining-like; comparable across rows and runs. Null only where nothing could answer: see "
            "insufficient."
        ),
        "p_value": _nullable_number(
            "Chance that an innocent comparable point has such a score or a higher one. Null where score is."
        ),
        "peers": count_of("Comparable points that the p-value rests on; 0 where it needs none."),
        "log10_e": _nullable_number(
            "Evidence of all families together: an innocent point shows this at most once in 10**log10_e. Null where "
            "it is not a finite number."
        ),
        "families": {
            "type": "array",
            "items": {"enum": [family.value for family in Family]},
            "description": "Families of evidence that support.",
        },
        "detector": nullable_string("The one whose answer weighs most; null where none found anything."),
        "power_w": interval_of("Power of the load while it runs, with its 95 % interval. [W]"),
        "onset": onset,
        "mode": {
            "enum": [*(mode.value for mode in Mode), None],
            "description": "How the load runs; null where nothing was estimated.",
        },
        "share": _nullable_number("Share of the site's energy in the period, 0 to 1."),
        "duty": _nullable_number("Share of the time in which the load runs, 0 to 1."),
        "energy_wh": interval_of("Energy of the load since its onset, or over the data. [Wh]"),
        "consequences": _consequences(),
        "explanation": string("Plain language: what was seen, and why it means what is said."),
        "counter_hypotheses": {
            "type": "array",
            "description": "What else it could be, each tested or said to be untested.",
            "items": _object(
                "",
                {
                    "name": string("electric_heating, heat_pump, ev, cold_store, server_room, pv, ..."),
                    "standing": {
                        "enum": [standing.value for standing in Standing],
                        "description": "excluded: tested, does not explain the load; possible: tested, explains it "
                        "too; untested: what it would take is missing.",
                    },
                    "text": string("What was tested, with figures; or what is missing."),
                },
            ),
        },
        "findings": {
            "type": "array",
            "description": "What each detector found.",
            "items": _object(
                "",
                {
                    "detector": string("What found it."),
                    "version": string("Version of the detector."),
                    "family": {"enum": [family.value for family in Family], "description": "Kind of evidence."},
                    "score": _nullable_number("Comparable among the points that this detector saw."),
                    "p_value": _nullable_number("Among peers, or of metrology."),
                    "peers": count_of("Comparable points; 0 where none are needed."),
                    "log10_e": _nullable_number("Evidence of this detector alone."),
                    "explanation": string("What it saw."),
                    "contradictions": strings("What speaks against it."),
                    "blind_spots": strings("What the detector cannot see or tell apart."),
                    "months": {
                        "type": "array",
                        "description": "Of balance: what a transformer's balance leaves over in each local month, the "
                        "last ones; empty for other detectors. Since 1.1.",
                        "items": _object(
                            "",
                            {
                                "started": instant_of("Begin of the part of the month that is in the data."),
                                "known_h": _number("Hours of it in which the balance is complete.", low=0),
                                "energy_wh": _nullable_number(
                                    "In these hours passed the head meter, and neither meters nor losses explain it. "
                                    "[Wh]"
                                ),
                                "accuracy_wh": _nullable_number(
                                    "As much could all meters at the limits of their classes make, all in one "
                                    "direction. [Wh]"
                                ),
                            },
                        ),
                    },
                },
            ),
        },
        "insufficient": {
            "type": "array",
            "description": "Detectors that could not answer, and what they lacked.",
            "items": _object(
                "", {"detector": string("Which."), "missing": string("What it lacked, in plain language.")}
            ),
        },
        "course": _course(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:headframe:schema:usage-point:{SCHEMA_VERSION}",
        "title": "Headframe usage point",
        "description": "What interval readings say of one usage point over one period.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _course() -> dict[str, Any]:
    def line(description: str) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": ["number", "null"]},
            "maxItems": MOST_COURSE_VALUES,
            "description": f"{description} [W]",
        }

    return _object(
        "The load over the period in few values, for drawing; a value that is not known is null. Null where the row "
        "was not looked at closely. Since 1.1.",
        {
            "started": instant_of("Begin of the first local day."),
            "days_per_value": {"type": "integer", "minimum": 1, "description": "Days that each value stands for."},
            "mean_w": line("Mean of the days."),
            "lowest_hour_w": line("Lowest hour of the days."),
            "fitted_lowest_w": line("What the steps that were found make of the lowest hour; empty without a fit."),
            "peers_low_w": line(
                "Lower edge of the middle 90 % of comparable points, scaled to this point's mean; empty without peers."
            ),
            "peers_high_w": line("Upper edge of the same."),
        },
        nullable=True,
    )


def _consequences() -> dict[str, Any]:
    line = _object(
        "",
        {
            "label": string("What."),
            "quantity": _nullable_number("How much."),
            "unit": string("Of the quantity."),
            "rate": _nullable_number("At what rate."),
            "rate_unit": string("Of the rate."),
            "source": string("Where the rate comes from."),
            "result": _nullable_number("Quantity times rate."),
            "result_unit": string("Of the result."),
        },
    )
    machines = _object(
        "Machines of known models that would draw as much. Null where unknown.",
        {"fewest": count_of("Of the largest models."), "most": count_of("Of the smallest models.")},
        nullable=True,
    )
    return _object(
        "What follows from the estimate if it is mining. Null where nothing was estimated.",
        {
            "cost": {"type": "array", "items": line, "description": "Calculation sheet; empty without a tariff."},
            "co2": {"type": "array", "items": line, "description": "Calculation sheet; empty without a factor."},
            "machines": machines,
            "hashrate_hs": interval_of("Hash rate of such machines with SHA-256. [hashes/s] Null where unknown."),
        },
        nullable=True,
    )


def schema_text() -> str:
    """The schema as it stands in ``docs/schema-usage-point.json``."""
    return json.dumps(usage_point_schema(), indent=2, ensure_ascii=True) + "\n"


def _object(description: str, properties: dict[str, Any], *, nullable: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": ["object", "null"] if nullable else "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }
    if not description:
        del made["description"]
    return made


def _boolean(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


def _number(description: str, *, low: float, high: float | None = None) -> dict[str, Any]:
    made = {"type": "number", "minimum": low, "maximum": high, "description": description}
    if high is None:
        del made["maximum"]
    return made


def _nullable_number(description: str) -> dict[str, Any]:
    return {"type": ["number", "null"], "description": description}


if __name__ == "__main__":
    print(schema_text(), end="")
