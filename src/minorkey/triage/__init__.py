"""Triage: what is wrong with a served model, told from mature labels, and the cheapest fix that works."""

from minorkey.triage.adjustment import Adjustment, adjust, prove
from minorkey.triage.diagnosis import Diagnosis, diagnose
from minorkey.triage.evidence import Evidence, Reference, gather

__all__ = ["Adjustment", "Diagnosis", "Evidence", "Reference", "adjust", "diagnose", "gather", "prove"]
