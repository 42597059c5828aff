"""``headframe simulate``: make captures and meters whose truth is known."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say

simulate = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


_SILENT_FOR_S = 5.0
_SAY_EVERY_S = 10.0
"""A district that takes longer says how far it is. [s]"""


class PlaceName(StrEnum):
    """Keys of `headframe.simulate.meters.PLACES`, which is not loaded for a help text."""

    LONDON = "london"
    TASHKENT = "tashkent"
    CHICAGO = "chicago"
    SYDNEY = "sydney"
    CHENGDU = "chengdu"


class CaptureFormat(StrEnum):
    """Forms of a capture file."""

    PCAP = "pcap"
    PCAPNG = "pcapng"


MadeFolder = Annotated[Path, typer.Argument(metavar="OUT_FOLDER", help="Where the files go; created if it is missing.")]
DistrictSeed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="The same seed gives the same district.")]


@simulate.callback()
def _simulate() -> None:
    """Make captures and meter readings whose truth is known.

    Example: headframe simulate capture demo/ --seed 7
    """


@simulate.command()
@politely
def capture(
    folder: MadeFolder,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same capture.")] = 1,
    minutes: Annotated[
        float,
        typer.Option("--minutes", metavar="M", min=1.0, help="How much time the capture covers, 1 or more. [minutes]"),
    ] = 30.0,
    miners: Annotated[
        int, typer.Option("--miners", metavar="N", min=0, max=90, help="How many miners work in it, 0 to 90.")
    ] = 14,
    capture_format: Annotated[
        CaptureFormat, typer.Option("--format", help="Form of the capture file.")
    ] = CaptureFormat.PCAP,
) -> None:
    """Write a capture of miners among office traffic.

    The truth about it, and indicators and block times to find it with, go beside it.

    Example: headframe simulate capture demo/ --minutes 60 --miners 20
    """
    from headframe import simulate as simulator

    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = simulator.write_demo(
            folder, seed=seed, minutes=minutes, miners=miners, capture_format=capture_format.value
        )
    except ValueError as error:
        fail(str(error), ExitCode.USAGE)
    except OSError as error:
        fail(f"{folder} could not be written: {error.strerror}; choose another OUT_FOLDER", ExitCode.NOT_WRITTEN)
    for path in (made.capture, made.truth, made.indicators, made.clock):
        print(path)
    say(f"now find them: headframe scan {made.capture} --indicators {made.indicators} --clock {made.clock}")


@simulate.command()
@politely
def meters(
    folder: MadeFolder,
    seed: DistrictSeed = 1,
    points: Annotated[
        int, typer.Option("--points", metavar="N", min=1, max=10_000_000, help="How many supply points, 1 or more.")
    ] = 200,
    days: Annotated[int, typer.Option("--days", metavar="D", min=2, max=3660, help="How many days, 2 to 3660.")] = 120,
    step_minutes: Annotated[
        int, typer.Option("--step-minutes", metavar="M", help="Interval of the meters: 60, 30 or 15. [minutes]")
    ] = 60,
    prevalence: Annotated[
        float,
        typer.Option(
            "--prevalence", metavar="P", min=0.0, max=0.5, help="Share of points where somebody mines, 0 to 0.5."
        ),
    ] = 0.07,
    homes: Annotated[
        float, typer.Option("--homes", metavar="P", min=0.0, max=1.0, help="Share of homes among the points, 0 to 1.")
    ] = 0.7,
    place: Annotated[PlaceName, typer.Option("--place", help="Climate, clock and holidays.")] = PlaceName.LONDON,
    first_day: Annotated[
        datetime,
        typer.Option("--from", metavar="DAY", formats=["%Y-%m-%d"], help="First local day."),
    ] = datetime(2025, 9, 15),
    faults: Annotated[
        bool,
        typer.Option("--faults/--no-faults", help="Missing, blank, zero-filled and estimated readings, new meters."),
    ] = True,
) -> None:
    """Write the meters of a district with miners in it, and the truth beside them.

    Readings as CSV and Parquet, topology, transformers, weather, prices, sites.

    \b
    Example:
      headframe simulate meters district/ --points 500 --days 90 --step-minutes 30
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe import clock
    from headframe.reports.words import count
    from headframe.simulate.meters import NAMES, PLACES, MetersSpec, write_meters

    next_word_s = clock.monotonic_s() + _SILENT_FOR_S

    def progress(done: int, of: int) -> None:
        nonlocal next_word_s
        if clock.monotonic_s() >= next_word_s and done < of:
            next_word_s = clock.monotonic_s() + _SAY_EVERY_S
            say(f"{done} of {count(of, 'transformer')}")

    try:
        spec = MetersSpec(
            points=points, days=days, step_minutes=step_minutes, prevalence=prevalence, homes=homes,
            place=PLACES[place.value], first_day=first_day.date(), faults=faults,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        older = sum((folder / name).exists() for name in NAMES)
        made = write_meters(folder, spec, seed, progress=progress)
    except ValueError as error:
        fail(str(error), ExitCode.USAGE)
    except OSError as error:
        fail(f"{folder} could not be written: {error.strerror}; choose another OUT_FOLDER", ExitCode.NOT_WRITTEN)
    for name in NAMES:
        print(made.path(name))
    if older:
        say(f"{count(older, 'older file')} of the same names in {folder} {'was' if older == 1 else 'were'} replaced")
    say(
        f"{count(made.readings, 'reading')} of {count(made.usage_points, 'supply point')} and "
        f"{count(made.transformers, 'transformer')}; {count(made.miners, 'miner')}"
        + (f", {made.path('truth.csv')} says where" if made.miners else "")
    )
    say(
        f"now find them: headframe meters {made.path('readings.parquet')} --topology {made.path('topology.csv')} "
        f"--topology {made.path('transformers.csv')} --weather {made.path('weather.csv')} "
        f"--prices {made.path('prices.csv')} --sites {made.path('sites.csv')} --zone {PLACES[place.value].zone}"
    )


@simulate.command()
@politely
def district(
    folder: MadeFolder,
    seed: DistrictSeed = 1,
    points: Annotated[
        int, typer.Option("--points", metavar="N", min=60, max=100_000, help="How many supply points, 60 or more.")
    ] = 220,
) -> None:
    """Write a district's captures and meters, before and after, with its registries: what casework is tried out on.

    Eleven sites with a story each: open miners, a victim, a licensed one, a theft, one that only looks like mining.

    Example: headframe simulate district district/
    """
    from headframe.simulate.district import write_district

    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = write_district(folder, seed, points=points)
    except OSError as error:
        fail(f"{folder} could not be written: {error.strerror}; choose another OUT_FOLDER", ExitCode.NOT_WRITTEN)
    for capture in made.captures:
        print(capture.capture)
    say("docs/story.md takes it from here")
