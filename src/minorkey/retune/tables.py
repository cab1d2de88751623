"""The ledger's tables."""

from minorkey.retune.clock import CLOCK_TABLE

__all__ = ["MIGRATIONS", "TABLES", "VERSION"]

VERSION = 1
#: By older version, what brings its tables to the next one: additions with a default.
MIGRATIONS: dict[int, str] = {}
#: The unique indexes are what two triggers on one ledger cannot get around.
TABLES = f"""
{CLOCK_TABLE}
CREATE TABLE IF NOT EXISTS minorkey_retune_actions (
    id bigint PRIMARY KEY,
    model text NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    created double precision NOT NULL,
    not_before double precision NOT NULL,
    waiting_for text NOT NULL DEFAULT '',
    started double precision,
    ended double precision,
    attempts bigint NOT NULL DEFAULT 0,
    losses bigint NOT NULL DEFAULT 0,
    claim_until double precision NOT NULL DEFAULT 0,
    base_version text NOT NULL DEFAULT '',
    run_key text NOT NULL DEFAULT '',
    run_id text NOT NULL DEFAULT '',
    labels text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS minorkey_retune_one_waits
    ON minorkey_retune_actions (model, kind) WHERE status = 'waiting';
CREATE UNIQUE INDEX IF NOT EXISTS minorkey_retune_one_runs
    ON minorkey_retune_actions (model)
    WHERE status IN ('launching', 'running') AND source <> 'outside';
CREATE INDEX IF NOT EXISTS minorkey_retune_starts ON minorkey_retune_actions (model, kind, started);
CREATE TABLE IF NOT EXISTS minorkey_retune_events (
    fingerprint text NOT NULL,
    starts_at bigint NOT NULL,
    model text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    name text NOT NULL,
    summary text NOT NULL,
    source text NOT NULL,
    disposition text NOT NULL,
    action bigint,
    deliveries bigint NOT NULL DEFAULT 1,
    first_seen double precision NOT NULL,
    last_seen double precision NOT NULL,
    PRIMARY KEY (fingerprint, starts_at)
);
CREATE INDEX IF NOT EXISTS minorkey_retune_events_action ON minorkey_retune_events (action);
CREATE INDEX IF NOT EXISTS minorkey_retune_events_seen ON minorkey_retune_events (last_seen);
CREATE TABLE IF NOT EXISTS minorkey_retune_stages (
    action bigint NOT NULL,
    run_id text NOT NULL,
    ended double precision NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (action, run_id)
);
CREATE TABLE IF NOT EXISTS minorkey_retune_cancels (
    action bigint PRIMARY KEY,
    asked double precision NOT NULL,
    detail text NOT NULL
);
CREATE TABLE IF NOT EXISTS minorkey_retune_schedules (
    name text PRIMARY KEY,
    until double precision NOT NULL
);
CREATE TABLE IF NOT EXISTS minorkey_retune_counts (
    family text NOT NULL,
    model text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (family, model, kind, label)
);
"""
