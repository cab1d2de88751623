"""What a Job's podFailurePolicy makes of a failed pod."""

__all__ = ["judged"]


def judged(job: dict, pod: dict) -> tuple[str, str]:
    """The action of the first rule that fits, and the message that goes with it; ``Count`` if none does."""
    for place, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        fits = _exit_fits(rule["onExitCodes"], pod) if rule.get("onExitCodes") else _condition_fits(rule, pod)
        if fits:
            name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            return rule["action"], f"Pod {name} {fits} matching {rule['action']} rule at index {place}"
    return "Count", ""


def _exit_fits(wanted: dict, pod: dict) -> str:
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = container["state"].get("terminated")
        if not ended or ended["exitCode"] == 0:
            continue
        if wanted.get("containerName") not in (None, container["name"]):
            continue
        if (ended["exitCode"] in wanted["values"]) == (wanted["operator"] == "In"):
            return f"has container {container['name']} with exit code {ended['exitCode']}"
    return ""


def _condition_fits(rule: dict, pod: dict) -> str:
    for pattern in rule["onPodConditions"]:
        for condition in (pod.get("status") or {}).get("conditions") or ():
            if condition["type"] == pattern["type"] and condition["status"] == pattern.get("status", "True"):
                return f"has condition {condition['type']}"
    return ""
