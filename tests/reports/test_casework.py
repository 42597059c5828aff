"""A case in lines: what an act says of itself."""

from headframe.records.case import ProposeCorrection
from headframe.reports.casework import act_words


def test_a_correction_says_what_it_takes_away() -> None:
    """Whoever approves it reads that in the list of what waits, and later in the events."""
    wanted = ProposeCorrection(event=4, field="record.machines_seen", value="0", reason="a slip")
    assert "takes away" not in act_words(wanted)
    fell = ProposeCorrection(event=4, field="record.machines_seen", value="0", reason="a slip", falls=(6, 9))
    assert act_words(fell).endswith("takes away what 2 events brought: 6, 9")
