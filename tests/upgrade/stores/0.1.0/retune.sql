BEGIN TRANSACTION;
CREATE TABLE minorkey_retune_actions (
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
INSERT INTO "minorkey_retune_actions" VALUES(1,'fraud','performance','alert','waiting','worse',1.796041668864518404e+09,1.796041668864518404e+09,'',NULL,NULL,0,0,0.0,'','','','','');
INSERT INTO "minorkey_retune_actions" VALUES(2,'fraud','outside','outside','running','a run that the trigger did not start',1.79604166887642431255e+09,1.79604166887642431255e+09,'',1.79604166887642431255e+09,NULL,0,0,0.0,'','','run-7','','');
CREATE TABLE minorkey_retune_clock (
    id integer PRIMARY KEY,
    boot text NOT NULL,
    steady double precision NOT NULL,
    time double precision NOT NULL
);
INSERT INTO "minorkey_retune_clock" VALUES(1,'af5bf4b8-c28f-4bda-985e-837a0800b838',3156.212520837,1.79604166887642431255e+09);
CREATE TABLE minorkey_retune_counts (
    family text NOT NULL,
    model text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (family, model, kind, label)
);
INSERT INTO "minorkey_retune_counts" VALUES('alert','fraud','','opened',1);
INSERT INTO "minorkey_retune_counts" VALUES('outside','fraud','','',1);
CREATE TABLE minorkey_retune_events (
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
INSERT INTO "minorkey_retune_events" VALUES('f1',1800000000000,'fraud','performance','3','MinorkeyPerformanceDown','worse','alert','opened',1,1,1.796041668864518404e+09,1.796041668864518404e+09);
CREATE TABLE minorkey_retune_schema (version integer PRIMARY KEY);
INSERT INTO "minorkey_retune_schema" VALUES(1);
CREATE UNIQUE INDEX minorkey_retune_one_waits
    ON minorkey_retune_actions (model, kind) WHERE status = 'waiting';
CREATE UNIQUE INDEX minorkey_retune_one_runs
    ON minorkey_retune_actions (model)
    WHERE status IN ('launching', 'running') AND source <> 'outside';
CREATE INDEX minorkey_retune_starts ON minorkey_retune_actions (model, kind, started);
CREATE INDEX minorkey_retune_events_action ON minorkey_retune_events (action);
CREATE INDEX minorkey_retune_events_seen ON minorkey_retune_events (last_seen);
COMMIT;
