"""All hostile submissions, by name."""

from judge.attacks_files import FILES, SHOWS
from judge.attacks_kernel import SIDE_DOORS
from judge.attacks_line import FORGED
from judge.attacks_machine import EXITS, LOOPS, READS, RESOURCES
from judge.attacks_marks import ANSWERS, PATCHED

ATTACKS = {
    **FORGED, **PATCHED, **ANSWERS, **EXITS, **LOOPS, **RESOURCES, **READS, **SHOWS,
    **FILES, **SIDE_DOORS,
}  # fmt: skip
