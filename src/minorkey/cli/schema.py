"""``minorkey schema``."""

import json

__all__ = ["schema_command"]


def schema_command() -> None:
    """Print the JSON schema of the specification: every key, its type, default and meaning.

    Example: `minorkey schema > run.schema.json`, for completion in an editor.
    """
    from minorkey.spec import RunSpec

    print(json.dumps(RunSpec.model_json_schema(), indent=2))
