CREATE TABLE IF NOT EXISTS minorkey_schema (version integer PRIMARY KEY);
INSERT INTO minorkey_schema SELECT 1 WHERE NOT EXISTS (SELECT FROM minorkey_schema);
CREATE TABLE IF NOT EXISTS minorkey_leases (
    model text PRIMARY KEY,
    run_key text NOT NULL,
    host text NOT NULL,
    owner text NOT NULL,
    heartbeat double precision NOT NULL
);
CREATE TABLE IF NOT EXISTS minorkey_openings (
    test_digest text NOT NULL,
    opening integer NOT NULL,
    run_key text NOT NULL,
    opened timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (test_digest, run_key),
    UNIQUE (test_digest, opening)
);
INSERT INTO minorkey_leases VALUES ('fraud', 'run-1', 'host', '', 4000000000.0);
INSERT INTO minorkey_openings VALUES ('tttttttttttttttttttttttttttttttt', 1, 'run-1');
INSERT INTO minorkey_openings VALUES ('tttttttttttttttttttttttttttttttt', 2, 'run-2');
