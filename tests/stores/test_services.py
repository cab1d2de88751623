"""What needs the MLflow server is collected here, so that one test process starts it once."""

from tests.stores.tracking_server import TrackingServer
from tests.stores.whole_run import WholeRun


class TestTrackingServer(TrackingServer):
    pass


class TestWholeRun(WholeRun):
    pass
