"""One commit to a repository that others change too, with servers that decline, move and fall silent."""

import multiprocessing
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from minorkey.deployment.gitops.access import Author, GitAccess
from minorkey.deployment.gitops.change import Change, Patience, commit_change, looked_at
from minorkey.deployment.gitops.problems import Unreached
from minorkey.deployment.gitops.repository import Branch, Pushed, Repository, Tip
from minorkey.errors import SpecError, StateError
from tests.deployment.gitops.server import Bare, over_http

FAST = Patience(seconds=60, first=0.02, longest=0.5)
ONCE = Patience(seconds=0)
WITH_SSH = pytest.mark.skipif(shutil.which("ssh") is None, reason="needs openssh-client")
TOKEN = "glpat-s3cr3t-0123456789"


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare(tmp_path / "models.git", {"README": "read me\n", "models/a.yaml": "a: 1\n"})


def credentials(folder: Path, **files: str) -> GitAccess:
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", "-")).write_text(text)
    return GitAccess(folder)


def put(
    address: str,
    files: Mapping[str, str] | None = None,
    *,
    access: GitAccess | None = None,
    patience: Patience = ONCE,
    branch: str = "main",
    to: str = "",
    options: tuple[str, ...] = (),
    seconds: float = 30.0,
) -> Pushed:
    repository = Repository(address, access or GitAccess(), Author("minorkey", "m@example.org"), seconds)
    change = Change(files or {"models/a.yaml": "a: 2\n"}, "Say two\n\nBecause.\n", to, options)
    return commit_change(repository, branch, lambda opened, tip: change, patience)


def test_one_commit_changes_its_files_and_no_other(bare: Bare) -> None:
    pushed = put(bare.address, {"models/a.yaml": "a: é\r\n", "models/b/c.yaml": "new\n"})
    assert pushed.commit == bare.tip()
    assert bare.git("ls-tree", "-r", "--name-only", "main").split() == [
        "README",
        "models/a.yaml",
        "models/b/c.yaml",
    ]
    assert bare.git("cat-file", "blob", "main:models/a.yaml") == "a: é\r\n"
    assert bare.messages()[0] == "Say two\n\nBecause.\n"
    assert bare.git("log", "-1", "--format=%an %ae").strip() == "minorkey m@example.org"
    assert bare.count() == 2


def test_a_commit_by_somebody_else_is_built_upon(bare: Bare) -> None:
    seen: list[str | None] = []

    def make(branch: Branch, tip: Tip) -> Change:
        seen.append(tip.read("models/a.yaml"))
        if len(seen) < 4:
            bare.write({"models/a.yaml": f"a: {len(seen)}\nby: hand\n"}, "By hand")
        return Change({"models/a.yaml": f"{seen[-1]}ours: 1\n"}, "Ours\n")

    commit_change(Repository(bare.address), "main", make, FAST)
    assert seen == ["a: 1\n", "a: 1\nby: hand\n", "a: 2\nby: hand\n", "a: 3\nby: hand\n"]
    assert bare.read("models/a.yaml") == "a: 3\nby: hand\nours: 1\n"
    assert bare.count() == 5


def test_a_branch_that_never_rests_is_told(bare: Bare) -> None:
    def make(branch: Branch, tip: Tip) -> Change:
        bare.write({"README": str(time.monotonic())}, "By hand")
        return Change({"models/a.yaml": "a: 2\n"}, "Ours\n")

    with pytest.raises(StateError, match="changed before every try"):
        commit_change(Repository(bare.address), "main", make, Patience(0.3, 0.02, 0.1))
    assert "Ours" not in "".join(bare.messages())


def add_line(address: str, line: str) -> None:
    def make(branch: Branch, tip: Tip) -> Change:
        return Change({"n": f"{tip.read('n') or ''}{line}\n"}, f"{line}\n")

    commit_change(Repository(address), "main", make, Patience(120, 0.1, 3))


def test_concurrent_processes_lose_no_update(bare: Bare) -> None:
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=add_line, args=(bare.address, str(n))) for n in range(8)]
    for process in running:
        process.start()
    bare.write({"by-hand": "x"}, "By hand")
    for process in running:
        process.join(120)
    assert [process.exitcode for process in running] == [0] * 8
    assert sorted(bare.read("n").split()) == [str(n) for n in range(8)]
    assert bare.count() == 10


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_protected_branch_is_told_with_the_way_round_it(bare: Bare, hook: str) -> None:
    which = '"$1"' if hook == "update" else '"$(cut -d" " -f3)"'
    bare.hook(hook, f'case {which} in *main) echo "GL-HOOK-ERR: main is protected" >&2; exit 1;; esac')
    before = bare.tip()
    with pytest.raises(StateError, match="declined a commit to branch main") as raised:
        put(bare.address, patience=FAST)
    assert "main is protected" in str(raised.value)
    assert "merge-request" in raised.value.remedy
    assert bare.tip() == before
    assert put(bare.address, to="minorkey/cards-2").branch == "minorkey/cards-2"
    assert bare.read("models/a.yaml", "minorkey/cards-2") == "a: 2\n"
    assert bare.tip() == before


def test_a_branch_that_is_there_is_never_overwritten(bare: Bare) -> None:
    bare.write({"models/a.yaml": "somebody's\n"}, "Work", branch="asked")
    with pytest.raises(StateError):
        put(bare.address, to="asked", patience=Patience(0.2, 0.01, 0.1))
    assert bare.messages("asked")[0].strip() == "Work"


def test_push_options_are_sent_where_the_server_takes_them(bare: Bare) -> None:
    options = ("merge_request.create", "merge_request.title=Say two")
    assert put(bare.address, to="without", options=options).branch == "without"
    bare.git("config", "receive.advertisePushOptions", "true")
    bare.hook("post-receive", 'echo "View merge request: https://git.example/mr/$GIT_PUSH_OPTION_COUNT"')
    assert put(bare.address, to="with", options=options).told == (
        "View merge request: https://git.example/mr/2",
    )


def test_a_missing_branch_and_a_missing_repository_are_told(bare: Bare, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no branch production"):
        put(bare.address, branch="production")
    with pytest.raises(StateError, match="no repository at this address"):
        put(f"file://{tmp_path}/nowhere.git", patience=FAST)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "models",
        "/models.git",
        "-oProxyCommand=x:y",
        "ext::sh -c x",
        "ftp://h/x",
        "https://h/a b",
        "https:///x",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SpecError, match="no address"):
        put(address)


@pytest.mark.parametrize(
    "address", ["https://me:s3cr3t@git.example/x.git", "https://s3cr3t@git.example/x", "ssh://git:s3cr3t@h/x"]
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(SpecError, match="carries credentials") as raised:
        put(address)
    assert "s3cr3t" not in str(raised.value)


def test_a_token_comes_from_its_file_and_is_seen_nowhere(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.git("config", "http.receivepack", "true")
    seen, real = [], subprocess.Popen

    class Watched(real):  # type: ignore[misc, type-arg]
        def __init__(self, arguments: list[str], **options: object) -> None:
            if arguments[0] == "git" and "GIT_ALLOW_PROTOCOL" in (options.get("env") or {}):  # type: ignore[operator]
                seen.append(repr((arguments, options["env"])))
            super().__init__(arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", Watched)
    access = credentials(tmp_path / "it's a secret", password=f"{TOKEN}\n", username="robot\n")
    with over_http(bare, TOKEN) as address:
        pushed = put(address, access=access)
        with pytest.raises(StateError, match="does not let these credentials in") as refused:
            put(address, access=credentials(tmp_path / "other", password="glpat-wrong"))
        with pytest.raises(StateError, match="does not let these credentials in"):
            put(address)
    assert pushed.commit == bare.tip()
    assert len(seen) > 8
    assert TOKEN not in "".join(seen)
    assert "glpat" not in str(refused.value)


def test_a_repository_that_moved_is_told_and_the_token_stays_here(bare: Bare, tmp_path: Path) -> None:
    access = credentials(tmp_path / "secret", password=TOKEN)
    with (
        over_http(bare, TOKEN) as new,
        over_http(bare, moved_to=new) as old,
        pytest.raises(StateError, match="has moved") as raised,
    ):
        put(old, access=access, patience=FAST)
    assert new in str(raised.value)
    assert "new address" in raised.value.remedy


def test_a_repository_that_is_called_like_a_failure_fails_of_its_own() -> None:
    with pytest.raises(Unreached, match="does not answer"):
        put("git://127.0.0.1:9/stale-info/authentication-failed.git")


@pytest.mark.parametrize(
    ("status", "told"), [(404, "no repository"), (403, "credentials"), (503, "not answer")]
)
def test_what_an_http_server_answers_is_told(bare: Bare, status: int, told: str) -> None:
    with over_http(bare, status=status) as address, pytest.raises(StateError, match=told):
        put(address)


def test_a_token_in_clear_text_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="clear text"):
        put("http://git.example/x.git", access=credentials(tmp_path / "a", password=TOKEN))
    with pytest.raises(StateError, match="credentials of the Git server are missing") as raised:
        put("https://git.example/x.git", access=credentials(tmp_path / "b", password="\n"))
    assert "password" in raised.value.allowed
    with pytest.raises(StateError, match="missing") as raised:
        put("git@git.example:x.git", access=credentials(tmp_path / "c", ssh__privatekey="key"))
    assert "known_hosts" in raised.value.allowed


@WITH_SSH
def test_ssh_knows_its_key_and_its_hosts_alone(tmp_path: Path) -> None:
    access = credentials(tmp_path / "ssh key", ssh__privatekey="key", known_hosts="h k")
    variables = access.environment("git@git.example:x.git", tmp_path, Author())
    command = variables["GIT_SSH_COMMAND"]
    for part in ("-F /dev/null", "StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes"):
        assert part in command
    assert f"-i '{tmp_path}/ssh key/ssh-privatekey'" in command
    probe = subprocess.run(
        ["sh", "-c", command.replace("ssh ", "ssh -G ", 1) + " git.example"], capture_output=True, text=True
    )
    assert f"userknownhostsfile {tmp_path}/ssh key/known_hosts" in probe.stdout.replace('"', "").replace(
        "\\", ""
    )


@WITH_SSH
def test_commits_are_signed_with_the_key_of_the_secret(bare: Bare, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    access = credentials(tmp_path / "secret", signing__key=key.read_text())
    (tmp_path / "secret" / "signing-key").chmod(0o600)
    put(bare.address, access=access)
    signers = tmp_path / "signers"
    signers.write_text(f"m@example.org {key.with_suffix('.pub').read_text()}")
    bare.git("-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", "main")


def test_a_server_that_is_away_is_waited_for(bare: Bare, tmp_path: Path) -> None:
    away = bare.folder.with_name("away.git")
    bare.git("config", "http.receivepack", "true")
    with over_http(bare) as address:
        pass
    port = int(address.rpartition(":")[2].partition("/")[0])
    with pytest.raises(Unreached, match="does not answer; nothing was changed"):
        put(address)
    assert not away.exists()

    def come_back() -> None:
        time.sleep(0.6)
        nonlocal daemon
        daemon = subprocess.Popen(
            [
                *("git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--enable=receive-pack"),
                *("--export-all", "--reuseaddr", f"--base-path={bare.folder.parent}"),
            ]
        )

    daemon: subprocess.Popen[bytes] | None = None
    starting = threading.Thread(target=come_back)
    starting.start()
    try:
        pushed = put(f"git://127.0.0.1:{port}/{bare.folder.name}", patience=Patience(60, 0.2, 1))
    finally:
        starting.join()
        assert daemon is not None
        daemon.terminate()
        daemon.wait()
    assert pushed.commit == bare.tip()


def test_a_server_that_stalls_is_given_up(bare: Bare) -> None:
    bare.hook("pre-receive", "sleep 60")
    started = time.monotonic()
    with pytest.raises(Unreached, match="does not answer"):
        put(bare.address, seconds=2)
    assert time.monotonic() - started < 40


def test_an_answer_that_is_lost_makes_no_second_commit(bare: Bare) -> None:
    """The server takes the commit and dies before it says so."""
    bare.hook("post-receive", "test -e once || { touch once; kill -9 $PPID; }")

    def make(branch: Branch, tip: Tip) -> Change | Pushed:
        if tip.read("models/a.yaml") == "a: 2\n":
            return Pushed(branch.commit_with("Release: 2"), branch.name)
        return Change({"models/a.yaml": "a: 2\n"}, "Ours\n\nRelease: 2\n")

    pushed = commit_change(Repository(bare.address), "main", make, FAST)
    assert (bare.folder / "once").exists()
    assert pushed.commit == bare.tip()
    assert bare.count() == 2


def test_a_kill_in_the_middle_leaves_the_repository_as_it_was_or_changed(bare: Bare) -> None:
    bare.hook("pre-receive", "touch reached; sleep 2")
    process = multiprocessing.get_context("fork").Process(target=put, args=(bare.address,))
    process.start()
    while not (bare.folder / "reached").exists():
        time.sleep(0.05)
        assert process.is_alive()
    process.kill()
    process.join()
    (bare.folder / "hooks" / "pre-receive").unlink()
    bare.git("fsck", "--strict")
    assert looked_at(Repository(bare.address), "main", lambda _, tip: tip.read("models/a.yaml")) in (
        "a: 1\n",
        "a: 2\n",
    )
    put(bare.address, {"models/a.yaml": "a: 3\n"}, patience=FAST)
    assert bare.read("models/a.yaml") == "a: 3\n"


def test_what_is_no_text_file_is_refused(bare: Bare) -> None:
    link = bare.git("hash-object", "-w", "--stdin", given="../README").strip()
    tree = bare.git("mktree", given=f"120000 blob {link}\tlink\n").strip()
    bare.git("update-ref", "refs/heads/links", bare.git("commit-tree", tree, "-m", "x").strip())
    with pytest.raises(StateError, match="no text file") as raised:
        looked_at(Repository(bare.address), "links", lambda _, tip: tip.read("link"))
    assert raised.value.value == "a link"
    assert looked_at(Repository(bare.address), "links", lambda _, tip: tip.read("none")) is None
