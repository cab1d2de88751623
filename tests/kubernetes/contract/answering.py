"""Pods that listen: when they count as ready, and how they are asked through the API."""

from typing import Any

from kubernetes.client.exceptions import ApiException

from tests.kubernetes.site import Site, refused

#: Listens at the pod's own address, as the fake's pods share one machine; says no the first three times.
_SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += self.path == "/ready"
        self.send_response(200 if self.path != "/ready" or Handler.asked > 3 else 503)
        self.end_headers()
        self.wfile.write(b"you asked for " + self.path.encode())
    def log_message(self, *given): pass
http.server.HTTPServer((os.environ["OWN"], 18080), Handler).serve_forever()
"""
_ADDRESS = {"name": "OWN", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
_PROBE = {"httpGet": {"path": "/ready", "port": 18_080}, "periodSeconds": 1}


def _is_ready(pod: Any) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())


class AnsweringContract:
    def test_a_pod_is_ready_once_its_probe_is_answered_and_is_asked_through_the_api(self, site: Site) -> None:
        site.start("listens", _SERVER, container={"env": [_ADDRESS], "readinessProbe": _PROBE})
        pod = site.pod("listens", "Running")
        assert not _is_ready(pod) and not pod.status.container_statuses[0].ready
        site.wait(lambda: _is_ready(site.pods("listens")[0]))
        named = f"{pod.metadata.name}:18080"
        ask = site.core.connect_get_namespaced_pod_proxy_with_path
        assert ask(named, site.namespace, "a/b") == "you asked for /a/b"
        site.delete("listens")

    def test_a_port_where_nobody_listens_is_told(self, site: Site) -> None:
        site.start("deaf", "import time; time.sleep(600)", container={"env": [_ADDRESS]})
        pod = site.pod("deaf", "Running")
        ask = site.core.connect_get_namespaced_pod_proxy_with_path
        try:
            ask(f"{pod.metadata.name}:18081", site.namespace, "a")
        except ApiException as error:
            assert error.status in (500, 502, 503)
        else:
            raise AssertionError("somebody answered")
        site.delete("deaf")

    def test_the_proxy_is_a_right_of_its_own(self, site: Site) -> None:
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
        reader = type(site.core)(site.account("reads-pods", rules))
        ask = reader.connect_get_namespaced_pod_proxy_with_path
        assert "pods/proxy" in refused(403, ask, "any:18080", site.namespace, "a")["message"]
