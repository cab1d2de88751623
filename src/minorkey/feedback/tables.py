"""The feedback service's tables."""

__all__ = ["COUNTED", "MIGRATIONS", "OPEN", "TABLES", "UNLABELLED", "VERSION"]

VERSION = 1
#: By older version, what brings its tables to the next one: additions with a default.
MIGRATIONS: dict[int, str] = {}
#: States of a row: before its horizon; counted; past its horizon without an outcome.
OPEN, COUNTED, UNLABELLED = 0, 1, 2
TABLES = """
CREATE TABLE IF NOT EXISTS minorkey_feedback_rows (
    model text NOT NULL,
    id text NOT NULL,
    version text NOT NULL,
    time double precision NOT NULL,
    score double precision NOT NULL,
    threshold double precision NOT NULL,
    features text NOT NULL,
    mature_at double precision NOT NULL,
    label integer,
    label_time double precision,
    intervened integer NOT NULL DEFAULT 0,
    propensity double precision,
    state integer NOT NULL DEFAULT 0,
    outcome integer,
    kept double precision NOT NULL DEFAULT 1,
    PRIMARY KEY (model, id)
);
DROP INDEX IF EXISTS minorkey_feedback_rows_mature;
CREATE INDEX IF NOT EXISTS minorkey_feedback_rows_ripe ON minorkey_feedback_rows (model, state, mature_at);
CREATE INDEX IF NOT EXISTS minorkey_feedback_rows_time ON minorkey_feedback_rows (model, time);
CREATE TABLE IF NOT EXISTS minorkey_feedback_shadows (
    model text NOT NULL,
    id text NOT NULL,
    version text NOT NULL,
    time double precision NOT NULL,
    score double precision NOT NULL,
    threshold double precision NOT NULL,
    counted integer NOT NULL DEFAULT 0,
    PRIMARY KEY (model, id, version)
);
CREATE INDEX IF NOT EXISTS minorkey_feedback_shadows_time ON minorkey_feedback_shadows (counted, time);
CREATE TABLE IF NOT EXISTS minorkey_feedback_early (
    model text NOT NULL,
    id text NOT NULL,
    label integer,
    label_time double precision NOT NULL,
    intervened integer NOT NULL,
    propensity double precision,
    received double precision NOT NULL,
    PRIMARY KEY (model, id)
);
CREATE TABLE IF NOT EXISTS minorkey_feedback_counts (
    family text NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    labels text NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (family, model, version, labels)
);
CREATE TABLE IF NOT EXISTS minorkey_feedback_versions (
    model text NOT NULL,
    version text NOT NULL,
    total double precision NOT NULL,
    since double precision NOT NULL,
    PRIMARY KEY (model, version)
);
"""
