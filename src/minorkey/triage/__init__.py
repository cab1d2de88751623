"""Triage: what is wrong with a served model, told from mature labels, and the cheapest fix that works."""

from minorkey.triage.adjustment import Adjustment, Proof, adjust, prove
from minorkey.triage.diagnosis import Diagnosis, diagnose
from minorkey.triage.evidence import Evidence, Reference, gather
from minorkey.triage.treatment import Treatment, treat

__all__ = [
    "Adjustment",
    "Diagnosis",
    "Evidence",
    "Proof",
    "Reference",
    "Treatment",
    "adjust",
    "diagnose",
    "gather",
    "prove",
    "treat",
]
