"""What the fields of a ClusterSpec are made of: names, quantities and paths as Kubernetes takes them."""

from typing import Annotated

from pydantic import Field

from minorkey.cluster.quantities import QUANTITY

__all__ = ["MountPath", "Name", "OptionalName", "Quantity"]

#: A name that Kubernetes takes for a namespace, a Secret, a ServiceAccount or a volume claim.
_NAME = r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$"
Name = Annotated[
    str,
    Field(pattern=_NAME, json_schema_extra={"format": "Kubernetes name of small letters, digits, - and ."}),
]
OptionalName = Annotated[
    str,
    Field(
        pattern=rf"^$|{_NAME}",
        json_schema_extra={"format": "Kubernetes name of small letters, digits, - and ., or nothing"},
    ),
]
Quantity = Annotated[
    str, Field(pattern=QUANTITY, json_schema_extra={"format": "quantity such as 500m, 2, 4Gi"})
]
MountPath = Annotated[str, Field(pattern=r"^/.+", json_schema_extra={"format": "path that begins with /"})]
