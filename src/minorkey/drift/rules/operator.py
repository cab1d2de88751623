"""The same rules, alerts and routes as objects of the Prometheus operator, for a cluster."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import yaml

from minorkey.drift.rules.delivery import render_alertmanager
from minorkey.drift.rules.rendering import render
from minorkey.drift.rules.windows import Windows

__all__ = ["RENDERED", "render_alertmanager_config", "render_prometheus_rule"]

#: An AlertmanagerConfig sees only alerts whose label `namespace` is its own; an overlay puts its own here.
NAMESPACE = "minorkey"
#: Where manifests/base/services has the trigger; its second part is the namespace.
TRIGGER_URL = f"http://minorkey-trigger.{NAMESPACE}.svc:9095/webhook"
#: Keys of Alertmanager's configuration that name a file, and the key of the Secret that takes its place.
_FILES = {
    "credentials_file": ("credentials", {"name": "minorkey-retune-token", "key": "token"}),
    "auth_password_file": ("auth_password", {"name": "minorkey-mail", "key": "password"}),
}
_MATCHER = re.compile(r'\s*(?P<name>\w+)\s*(?P<matchType>=~|!~|!=|=)\s*"(?P<value>[^"]*)"\s*')
_HEADER = "# Written by `make monitoring` from src/minorkey/drift/rules/{}.yaml.j2; windows of {}.\n"


def render_prometheus_rule(kind: str, windows: Windows) -> str:
    """The text of a PrometheusRule.

    Args:
        kind: one of `KINDS`.
        windows: the lengths of time to fill in.
    """
    groups = yaml.safe_load(render(kind, windows))["groups"]
    for group in groups if kind == "alerts" else ():
        for alert in group["rules"]:
            alert["labels"]["namespace"] = NAMESPACE
    return _object(
        kind, windows, "monitoring.coreos.com/v1", "PrometheusRule", f"minorkey-{kind}", groups=groups
    )


def render_alertmanager_config(windows: Windows) -> str:
    """The text of an AlertmanagerConfig: the routes, receivers and inhibitions of `render_alertmanager`."""
    plain = yaml.safe_load(render_alertmanager(windows, trigger_url=TRIGGER_URL))
    return _object(
        "alertmanager",
        windows,
        "monitoring.coreos.com/v1alpha1",
        "AlertmanagerConfig",
        "minorkey",
        **{_camel(key): _converted(value) for key, value in plain.items()},
    )


#: What `make monitoring` writes below `monitoring/kubernetes/`, by file.
RENDERED: dict[str, Callable[[Windows], str]] = {
    "prometheus-rules.yaml": partial(render_prometheus_rule, "rules"),
    "prometheus-alerts.yaml": partial(render_prometheus_rule, "alerts"),
    "alertmanager-config.yaml": render_alertmanager_config,
}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as lines."""


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _lines)


def _object(template: str, windows: Windows, version: str, kind: str, name: str, **spec: Any) -> str:
    content = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return _HEADER.format(template, windows.name) + text


def _converted(value: Any) -> Any:
    """Alertmanager's keys as the operator writes them: camel case, matchers in parts, Secrets for files."""
    if isinstance(value, list):
        return [_converted(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    content: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _FILES:
            name, secret = _FILES[key]
            content[_camel(name)] = dict(secret)
        elif key == "matchers":
            content["matchers"] = [_matcher(text) for text in inner]
        elif key in ("source_matchers", "target_matchers"):
            content[_camel(key.removesuffix("ers"))] = [_matcher(text) for text in inner]
        else:
            content[_camel(key)] = _converted(inner)
    return content


def _matcher(text: str) -> dict[str, str]:
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"this matcher of the template cannot be taken apart: {text}")
    return found.groupdict()


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)
