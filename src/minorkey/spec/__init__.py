"""RunSpec: the one typed, frozen description of what a run does; one section a file.

YAML in, JSON schema out. Each pipeline step receives only its own section.
"""

from minorkey.spec.data import DataSpec
from minorkey.spec.deploy import CanarySpec, DeploySpec
from minorkey.spec.evaluate import EvaluateSpec, GateSpec
from minorkey.spec.monitor import MonitorSpec
from minorkey.spec.reading import load_spec, parse_section, with_overrides
from minorkey.spec.run import RunSpec
from minorkey.spec.search import SearchSpec
from minorkey.spec.section import Section
from minorkey.spec.shadow import ShadowSpec
from minorkey.spec.split import SplitSpec
from minorkey.spec.threshold import ThresholdSpec
from minorkey.spec.validation import validated

__all__ = [
    "CanarySpec",
    "DataSpec",
    "DeploySpec",
    "EvaluateSpec",
    "GateSpec",
    "MonitorSpec",
    "RunSpec",
    "SearchSpec",
    "Section",
    "ShadowSpec",
    "SplitSpec",
    "ThresholdSpec",
    "load_spec",
    "parse_section",
    "validated",
    "with_overrides",
]
