"""What the Kubernetes executor relies on. A module of a cluster gives the fixture ``site``.

The same suite runs against the fake and against a real API server: where they differ, the fake is wrong.
"""

from tests.kubernetes.contract.access import AccessContract
from tests.kubernetes.contract.admission import AdmissionContract
from tests.kubernetes.contract.answering import AnsweringContract
from tests.kubernetes.contract.applying import ApplyContract
from tests.kubernetes.contract.deleting import DeletingContract
from tests.kubernetes.contract.jobs import JobContract
from tests.kubernetes.contract.reading import ReadingContract
from tests.kubernetes.contract.waiting import WaitingContract

__all__ = ["ApiContract"]


class ApiContract(
    JobContract,
    ReadingContract,
    DeletingContract,
    AdmissionContract,
    AnsweringContract,
    WaitingContract,
    AccessContract,
    ApplyContract,
):
    """Everything."""
