BEGIN TRANSACTION;
CREATE TABLE minorkey_feedback_counts (
    family text NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    labels text NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (family, model, version, labels)
);
INSERT INTO "minorkey_feedback_counts" VALUES('outcome','cards','3','00',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('square','cards','3','00',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('outcome','cards','3','01',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('square','cards','3','01',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('outcome','cards','3','10',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('square','cards','3','10',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('outcome','cards','3','11',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('square','cards','3','11',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('count','cards','3','0',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-9.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-9.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-8.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-8.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-7.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-7.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-6.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-6.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-5.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-5.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-4.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-4.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-3.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-3.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-2.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-2.25',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-1.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-1.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-0.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','0-0.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','00.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','00.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','01.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','01.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','02.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','02.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','03.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','03.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','04.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','04.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','05.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','05.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','06.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','06.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','07.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','07.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','08.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','08.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','09.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','09.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('count','cards','3','1',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-9.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-9.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-8.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-8.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-7.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-7.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-6.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-6.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-5.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-5.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-4.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-4.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-3.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-3.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-2.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-2.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-1.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-1.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-0.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','1-0.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','10.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','10.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','11.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','11.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','12.25',1.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','12.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','13.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','13.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','14.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','14.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','15.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','15.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','16.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','16.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','17.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','17.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','18.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','18.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','19.25',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('logit','cards','3','19.75',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('audited','cards','3','',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('unlabelled','cards','3','',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('label','cards','3','joined',2.0);
INSERT INTO "minorkey_feedback_counts" VALUES('label','cards','3','duplicate',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('label','cards','3','conflict',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('label','cards','3','late',0.0);
INSERT INTO "minorkey_feedback_counts" VALUES('label','cards','','early',1.0);
CREATE TABLE minorkey_feedback_early (
    model text NOT NULL,
    id text NOT NULL,
    label integer,
    label_time double precision NOT NULL,
    intervened integer NOT NULL,
    propensity double precision,
    received double precision NOT NULL,
    PRIMARY KEY (model, id)
);
INSERT INTO "minorkey_feedback_early" VALUES('cards','r9',1,1800000000.0,0,NULL,1800000000.0);
CREATE TABLE minorkey_feedback_rows (
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
INSERT INTO "minorkey_feedback_rows" VALUES('cards','r1','3',1800000000.0,0.9,0.5,'{"amount":1.5,"country":"NL"}',1800086400.0,1,1800000000.0,0,NULL,1,1,1.0);
INSERT INTO "minorkey_feedback_rows" VALUES('cards','r2','3',1800000000.0,0.1,0.5,'{"amount":2.5,"country":"NL"}',1800086400.0,0,1800000000.0,0,NULL,1,0,1.0);
INSERT INTO "minorkey_feedback_rows" VALUES('cards','r3','3',1800086400.0,0.9,0.5,'{"amount":3.5,"country":"NL"}',1800172800.0,NULL,NULL,0,NULL,0,NULL,1.0);
CREATE TABLE minorkey_feedback_schema (version integer PRIMARY KEY);
INSERT INTO "minorkey_feedback_schema" VALUES(1);
CREATE INDEX minorkey_feedback_rows_mature ON minorkey_feedback_rows (state, mature_at);
CREATE INDEX minorkey_feedback_rows_time ON minorkey_feedback_rows (model, time);
COMMIT;
