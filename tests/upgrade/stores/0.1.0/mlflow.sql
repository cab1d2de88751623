BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('dc11669786a5');
CREATE TABLE "assessments" (
	assessment_id VARCHAR(50) NOT NULL, 
	trace_id VARCHAR(50) NOT NULL, 
	name VARCHAR(250) NOT NULL, 
	assessment_type VARCHAR(20) NOT NULL, 
	value TEXT NOT NULL, 
	error TEXT, 
	created_timestamp BIGINT NOT NULL, 
	last_updated_timestamp BIGINT NOT NULL, 
	source_type VARCHAR(50) NOT NULL, 
	source_id VARCHAR(250), 
	run_id VARCHAR(32), 
	span_id VARCHAR(50), 
	rationale TEXT, 
	overrides VARCHAR(50), 
	valid BOOLEAN NOT NULL, 
	assessment_metadata TEXT, 
	experiment_id INTEGER, 
	trace_timestamp_ms BIGINT, 
	aggregate_value FLOAT, 
	is_numeric_value BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT assessments_pk PRIMARY KEY (assessment_id), 
	CONSTRAINT fk_assessments_trace_id FOREIGN KEY(trace_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE TABLE budget_policies (
	budget_policy_id VARCHAR(36) NOT NULL, 
	budget_unit VARCHAR(32) NOT NULL, 
	budget_amount FLOAT NOT NULL, 
	duration_unit VARCHAR(32) NOT NULL, 
	duration_value INTEGER NOT NULL, 
	target_scope VARCHAR(32) NOT NULL, 
	budget_action VARCHAR(32) NOT NULL, 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	last_updated_by VARCHAR(255), 
	last_updated_at BIGINT NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, target_value VARCHAR(255), 
	CONSTRAINT budget_policies_pk PRIMARY KEY (budget_policy_id)
);
CREATE TABLE "datasets" (
	dataset_uuid VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	digest VARCHAR(36) NOT NULL, 
	dataset_source_type VARCHAR(36) NOT NULL, 
	dataset_source TEXT NOT NULL, 
	dataset_schema TEXT, 
	dataset_profile TEXT, 
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest), 
	CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "datasets" VALUES('1aa13d9db1e14beb82033abbb862cc35',1,'fraud-training','c523682a45dfd9dafec5186325124f7e','minorkey','{"uri": ""}',NULL,'{"rows": 900, "positives": 163}');
CREATE TABLE endpoint_bindings (
	endpoint_id VARCHAR(36) NOT NULL, 
	resource_type VARCHAR(50) NOT NULL, 
	resource_id VARCHAR(255) NOT NULL, 
	created_at BIGINT NOT NULL, 
	created_by VARCHAR(255), 
	last_updated_at BIGINT NOT NULL, 
	last_updated_by VARCHAR(255), display_name VARCHAR(255), 
	CONSTRAINT endpoint_bindings_pk PRIMARY KEY (endpoint_id, resource_type, resource_id), 
	CONSTRAINT fk_endpoint_bindings_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE
);
CREATE TABLE endpoint_model_mappings (
	mapping_id VARCHAR(36) NOT NULL, 
	endpoint_id VARCHAR(36) NOT NULL, 
	model_definition_id VARCHAR(36) NOT NULL, 
	weight FLOAT NOT NULL, 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, linkage_type VARCHAR(64) DEFAULT 'PRIMARY' NOT NULL, fallback_order INTEGER, 
	CONSTRAINT endpoint_model_mappings_pk PRIMARY KEY (mapping_id), 
	CONSTRAINT fk_endpoint_model_mappings_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE, 
	CONSTRAINT fk_endpoint_model_mappings_model_definition_id FOREIGN KEY(model_definition_id) REFERENCES model_definitions (model_definition_id)
);
CREATE TABLE endpoint_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	endpoint_id VARCHAR(36) NOT NULL, 
	CONSTRAINT endpoint_tag_pk PRIMARY KEY ("key", endpoint_id), 
	CONSTRAINT fk_endpoint_tags_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE
);
CREATE TABLE "endpoints" (
	endpoint_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255), 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	last_updated_by VARCHAR(255), 
	last_updated_at BIGINT NOT NULL, 
	routing_strategy VARCHAR(64), 
	fallback_config_json TEXT, 
	experiment_id INTEGER, 
	usage_tracking BOOLEAN DEFAULT '0' NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT endpoints_pk PRIMARY KEY (endpoint_id), 
	CONSTRAINT fk_endpoints_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE SET NULL, 
	CONSTRAINT uq_endpoints_workspace_name UNIQUE (workspace, name)
);
CREATE TABLE entity_associations (
	association_id VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, 
	created_time BIGINT, 
	CONSTRAINT entity_associations_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
CREATE TABLE "evaluation_dataset_records" (
	dataset_record_id VARCHAR(36) NOT NULL, 
	dataset_id VARCHAR(36) NOT NULL, 
	inputs JSON NOT NULL, 
	expectations JSON, 
	tags JSON, 
	source JSON, 
	source_id VARCHAR(36), 
	source_type VARCHAR(255), 
	created_time BIGINT, 
	last_update_time BIGINT, 
	created_by VARCHAR(255), 
	last_updated_by VARCHAR(255), 
	input_hash VARCHAR(64) NOT NULL, outputs JSON, 
	CONSTRAINT evaluation_dataset_records_pk PRIMARY KEY (dataset_record_id), 
	CONSTRAINT fk_evaluation_dataset_records_dataset_id FOREIGN KEY(dataset_id) REFERENCES evaluation_datasets (dataset_id) ON DELETE CASCADE, 
	CONSTRAINT unique_dataset_input UNIQUE (dataset_id, input_hash)
);
CREATE TABLE evaluation_dataset_tags (
	dataset_id VARCHAR(36) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	value VARCHAR(5000), 
	CONSTRAINT evaluation_dataset_tags_pk PRIMARY KEY (dataset_id, "key"), 
	CONSTRAINT fk_evaluation_dataset_tags_dataset_id FOREIGN KEY(dataset_id) REFERENCES evaluation_datasets (dataset_id) ON DELETE CASCADE
);
CREATE TABLE "evaluation_datasets" (
	dataset_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	schema TEXT, 
	profile TEXT, 
	digest VARCHAR(64), 
	created_time BIGINT, 
	last_update_time BIGINT, 
	created_by VARCHAR(255), 
	last_updated_by VARCHAR(255), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT evaluation_datasets_pk PRIMARY KEY (dataset_id)
);
CREATE TABLE "experiment_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO "experiments" VALUES(0,'Default','@PLACE@/mlruns/0','active',1796041268099,1796041268099,'default');
INSERT INTO "experiments" VALUES(1,'fraud','file://@PLACE@/home/artifacts/fraud','active',1796041268535,1796041268535,'default');
CREATE TABLE guardrail_configs (
	endpoint_id VARCHAR(36) NOT NULL, 
	guardrail_id VARCHAR(36) NOT NULL, 
	execution_order INTEGER, 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT guardrail_configs_pk PRIMARY KEY (endpoint_id, guardrail_id), 
	CONSTRAINT fk_guardrail_configs_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE, 
	CONSTRAINT fk_guardrail_configs_guardrail_id FOREIGN KEY(guardrail_id) REFERENCES guardrails (guardrail_id) ON DELETE CASCADE
);
CREATE TABLE guardrails (
	guardrail_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	scorer_id VARCHAR(36) NOT NULL, 
	scorer_version INTEGER NOT NULL, 
	stage VARCHAR(32) NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	action_endpoint_id VARCHAR(36), 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	last_updated_by VARCHAR(255), 
	last_updated_at BIGINT NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT guardrails_pk PRIMARY KEY (guardrail_id), 
	CONSTRAINT fk_guardrails_scorer_version FOREIGN KEY(scorer_id, scorer_version) REFERENCES scorer_versions (scorer_id, scorer_version), 
	CONSTRAINT fk_guardrails_action_endpoint_id FOREIGN KEY(action_endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE SET NULL
);
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" VALUES('6b20256df9af436bbe521384a0a9f035','mlflow.data.context','training');
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" VALUES('6b20256df9af436bbe521384a0a9f035','DATASET','1aa13d9db1e14beb82033abbb862cc35','RUN','3f0f34cb55364b3182b0f00904888f58',0);
INSERT INTO "inputs" VALUES('3bf9d83f0d44455da6b8002dd95f0995','RUN_OUTPUT','3f0f34cb55364b3182b0f00904888f58','MODEL_OUTPUT','m-7fc03ded115b40d792a08329944f3621',0);
CREATE TABLE issues (
	issue_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(250) NOT NULL, 
	description TEXT NOT NULL, 
	status VARCHAR(50) NOT NULL, 
	severity VARCHAR(50), 
	root_causes TEXT, 
	source_run_id VARCHAR(32), 
	categories TEXT, 
	created_timestamp BIGINT NOT NULL, 
	last_updated_timestamp BIGINT NOT NULL, 
	created_by VARCHAR(255), 
	CONSTRAINT issues_pk PRIMARY KEY (issue_id), 
	CONSTRAINT fk_issues_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE, 
	CONSTRAINT fk_issues_source_run_id FOREIGN KEY(source_run_id) REFERENCES runs (run_uuid) ON DELETE SET NULL
);
CREATE TABLE job_locks (
	lock_key VARCHAR(255) NOT NULL, 
	job_id VARCHAR(36) NOT NULL, 
	acquired_at BIGINT NOT NULL, 
	CONSTRAINT job_locks_pk PRIMARY KEY (lock_key), 
	CONSTRAINT fk_job_locks_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE TABLE "jobs" (
	id VARCHAR(36) NOT NULL, 
	creation_time BIGINT NOT NULL, 
	job_name VARCHAR(500) NOT NULL, 
	params TEXT NOT NULL, 
	timeout FLOAT, 
	status INTEGER NOT NULL, 
	result TEXT, 
	retry_count INTEGER NOT NULL, 
	last_update_time BIGINT NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, status_details JSON, creator VARCHAR(255), executor_backend VARCHAR(255), lease_expires_at BIGINT, status_message TEXT, progress JSON, progress_updated_at BIGINT, token_hash VARCHAR(64), scoped_permissions JSON, next_attempt_at BIGINT, 
	CONSTRAINT jobs_pk PRIMARY KEY (id)
);
CREATE TABLE label_schemas (
	schema_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(250) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	instruction TEXT, 
	enable_comment BOOLEAN DEFAULT '0' NOT NULL, 
	input_type VARCHAR(32) NOT NULL, 
	input_config TEXT NOT NULL, 
	created_by VARCHAR(255), 
	created_time BIGINT NOT NULL, 
	last_update_time BIGINT NOT NULL, 
	is_default BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT label_schemas_pk PRIMARY KEY (schema_id), 
	CONSTRAINT fk_label_schemas_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE, 
	CONSTRAINT uq_label_schemas_exp_name UNIQUE (experiment_id, name)
);
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('seconds',2.17104257970004255184e+01,1796041441413,0,0,'7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "latest_metrics" VALUES('cpu_seconds',4.858269,1796041441413,0,0,'7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "latest_metrics" VALUES('average_precision',8.00214764038605474993e-01,1796041441413,0,0,'7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "latest_metrics" VALUES('rung_value',8.00214764038605474993e-01,1796041441413,2,0,'7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "latest_metrics" VALUES('fold_score',8.18358518926923128589e-01,1796041441413,4,0,'7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "latest_metrics" VALUES('seconds',1.79849964999903022544e-01,1796041441502,0,0,'357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "latest_metrics" VALUES('cpu_seconds',5.9598000000001150056e-02,1796041441502,0,0,'357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "latest_metrics" VALUES('average_precision',7.78094505000241243308e-01,1796041441502,0,0,'357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "latest_metrics" VALUES('rung_value',7.78094505000241243308e-01,1796041441502,2,0,'357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "latest_metrics" VALUES('fold_score',6.98918486047498732638e-01,1796041441502,4,0,'357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "latest_metrics" VALUES('seconds',0.700652873999843,1796041441577,0,0,'90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "latest_metrics" VALUES('cpu_seconds',7.66939999999998178736e-02,1796041441577,0,0,'90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "latest_metrics" VALUES('average_precision',7.64106107839719217444e-01,1796041441577,0,0,'90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "latest_metrics" VALUES('rung_value',7.64106107839719217444e-01,1796041441577,2,0,'90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "latest_metrics" VALUES('fold_score',7.07849824016155482198e-01,1796041441577,4,0,'90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "latest_metrics" VALUES('seconds',1.05711143000007723458e-01,1796041441661,0,0,'2d63967c86a24693a0011eb053277ad8');
INSERT INTO "latest_metrics" VALUES('cpu_seconds',5.41629999999990729975e-02,1796041441661,0,0,'2d63967c86a24693a0011eb053277ad8');
INSERT INTO "latest_metrics" VALUES('average_precision',7.90247125580863740701e-01,1796041441661,0,0,'2d63967c86a24693a0011eb053277ad8');
INSERT INTO "latest_metrics" VALUES('rung_value',7.90247125580863740701e-01,1796041441661,2,0,'2d63967c86a24693a0011eb053277ad8');
INSERT INTO "latest_metrics" VALUES('fold_score',7.62045152112815649125e-01,1796041441661,4,0,'2d63967c86a24693a0011eb053277ad8');
INSERT INTO "latest_metrics" VALUES('seconds',2.76937188999909267295e-01,1796041441742,0,0,'87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "latest_metrics" VALUES('cpu_seconds',6.4119999999999066631e-02,1796041441742,0,0,'87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "latest_metrics" VALUES('average_precision',7.96730476222471617475e-01,1796041441742,0,0,'87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "latest_metrics" VALUES('rung_value',7.96730476222471617475e-01,1796041441742,2,0,'87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "latest_metrics" VALUES('fold_score',8.45666946670638242089e-01,1796041441742,4,0,'87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "latest_metrics" VALUES('seconds',3.19822886000110884197e-01,1796041441820,0,0,'735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "latest_metrics" VALUES('cpu_seconds',6.67919999999995184225e-02,1796041441820,0,0,'735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "latest_metrics" VALUES('average_precision',7.75207550641524578693e-01,1796041441820,0,0,'735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "latest_metrics" VALUES('rung_value',7.75207550641524578693e-01,1796041441820,2,0,'735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "latest_metrics" VALUES('fold_score',8.42725968149686366359e-01,1796041441820,4,0,'735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "latest_metrics" VALUES('threshold',3.48625605262931181904e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.average_precision',7.82632035977307349838e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.average_precision.low',7.19905259490704496627e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.average_precision.high',8.34539884639316831282e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.roc_auc',9.3298981944710357439e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.roc_auc.low',9.09475154167206700783e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.roc_auc.high',9.50727255177236663108e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.matthews_corrcoef',6.37624105896549719929e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.matthews_corrcoef.low',5.65197651195016748104e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.matthews_corrcoef.high',0.700296319965027,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1',7.05539358600583144109e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1.low',6.45023231385332462828e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1.high',7.59584049823572748927e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1_macro',8.18109418490408302204e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1_macro.low',7.81639622660882493754e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1_macro.high',8.49659707241427253343e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1_micro',8.8777777777777777679e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1_micro.low',8.64732132556123578304e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.f1_micro.high',9.07317947183110429243e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.balanced_accuracy',8.31138507129716819221e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.balanced_accuracy.low',7.91537933689083428312e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.balanced_accuracy.high',8.64504089471512804365e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.precision',6.72222222222222276499e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.precision.low',5.96909661519881340474e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.precision.high',7.39602028908849851163e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.recall',7.42331288343558326481e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.recall.low',0.667004196605245,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.recall.high',0.805585271328715,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.specificity',9.19945725915875200939e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.specificity.low',8.97604124610919096305e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.specificity.high',9.37750708488777395821e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.g_mean',8.26380357901421613853e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.g_mean.low',7.82652960899569150043e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.g_mean.high',8.62851979009684577626e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.cohen_kappa',6.36429085673146155421e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.cohen_kappa.low',5.63660731906045819883e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.cohen_kappa.high',0.699394851785796,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.brier',7.52260529645907699558e-02,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.brier.low',6.45332824665614812609e-02,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.brier.high',8.76905501833671191524e-02,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.log_loss',2.40722044778931332231e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.log_loss.low',2.09455771580868171932e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.log_loss.high',0.276655555515104,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.expected_cost',5.32222222222222263177e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.expected_cost.low',4.06235764459204062859e-01,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "latest_metrics" VALUES('test.expected_cost.high',0.697281033845573,1796041497484,0,0,'3f0f34cb55364b3182b0f00904888f58');
CREATE TABLE logged_model_metrics (
	model_id VARCHAR(36) NOT NULL, 
	metric_name VARCHAR(500) NOT NULL, 
	metric_timestamp_ms BIGINT NOT NULL, 
	metric_step BIGINT NOT NULL, 
	metric_value FLOAT, 
	experiment_id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	dataset_uuid VARCHAR(36), 
	dataset_name VARCHAR(500), 
	dataset_digest VARCHAR(36), 
	CONSTRAINT logged_model_metrics_pk PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, run_id), 
	CONSTRAINT fk_logged_model_metrics_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_metrics_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE, 
	CONSTRAINT fk_logged_model_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (run_uuid) ON DELETE CASCADE
);
CREATE TABLE logged_model_params (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	param_key VARCHAR(255) NOT NULL, 
	param_value TEXT NOT NULL, 
	CONSTRAINT logged_model_params_pk PRIMARY KEY (model_id, param_key), 
	CONSTRAINT fk_logged_model_params_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_params_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
CREATE TABLE logged_model_tags (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	tag_key VARCHAR(255) NOT NULL, 
	tag_value TEXT NOT NULL, 
	CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key), 
	CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'mlflow.user','user');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'mlflow.source.name','@PYTHON@/lib/python3.11/site-packages/kfp/dsl/executor_main.py');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'mlflow.source.type','LOCAL');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.label_horizon','0d');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.positives','163');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.rows','900');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.run_key','92329896b45a49a28013c9f8e2f1d4b8');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.seed','0');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.training_digest','c523682a45dfd9dafec5186325124f7e');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.digest','5ddbc9dcfe6b2d39f933296548fc249d6cca59f9bbd06b34110e66d5eb787451');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.bundle_uri','@PLACE@/home/bundles/5ddbc9dcfe6b2d39f933296548fc249d6cca59f9bbd06b34110e66d5eb787451');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.git_sha','6448b3b75b60c834df6b2c734fb89b88791c2fa4');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.decision','promote');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.decision_reason','There is no champion yet. The new model''s average precision is 0.783, at least 0.723 when bad luck is allowed for; ranking by chance gives 0.181. The new model is better than chance.');
INSERT INTO "logged_model_tags" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'minorkey.compared_with','');
CREATE TABLE logged_models (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	artifact_location VARCHAR(1000) NOT NULL, 
	creation_timestamp_ms BIGINT NOT NULL, 
	last_updated_timestamp_ms BIGINT NOT NULL, 
	status INTEGER NOT NULL, 
	lifecycle_stage VARCHAR(32), 
	model_type VARCHAR(500), 
	source_run_id VARCHAR(32), 
	status_message VARCHAR(1000), 
	CONSTRAINT logged_models_pk PRIMARY KEY (model_id), 
	CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "logged_models" VALUES('m-7fc03ded115b40d792a08329944f3621',1,'model','file://@PLACE@/home/artifacts/fraud/models/m-7fc03ded115b40d792a08329944f3621/artifacts',1796041495752,1796041497317,2,'active',NULL,'3f0f34cb55364b3182b0f00904888f58',NULL);
CREATE TABLE mcp_access_endpoints (
	id VARCHAR(36) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	server_name VARCHAR(256) NOT NULL, 
	server_version VARCHAR(128), 
	server_alias VARCHAR(256), 
	url VARCHAR(2048) NOT NULL, 
	transport_type VARCHAR(32) DEFAULT 'streamable-http' NOT NULL, 
	created_by VARCHAR(256), 
	last_updated_by VARCHAR(256), 
	created_at BIGINT NOT NULL, 
	last_updated_at BIGINT NOT NULL, 
	CONSTRAINT mcp_access_endpoints_pk PRIMARY KEY (id), 
	CONSTRAINT mcp_access_endpoints_server_fkey FOREIGN KEY(workspace, server_name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_aliases (
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	alias VARCHAR(256) NOT NULL, 
	version VARCHAR(128) NOT NULL, 
	CONSTRAINT mcp_server_aliases_pk PRIMARY KEY (workspace, name, alias), 
	CONSTRAINT mcp_server_aliases_server_fkey FOREIGN KEY(workspace, name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_tags (
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	CONSTRAINT mcp_server_tags_pk PRIMARY KEY (workspace, name, "key"), 
	CONSTRAINT mcp_server_tags_server_fkey FOREIGN KEY(workspace, name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_version_tags (
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	version VARCHAR(128) NOT NULL, 
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	CONSTRAINT mcp_server_version_tags_pk PRIMARY KEY (workspace, name, version, "key"), 
	CONSTRAINT mcp_server_version_tags_version_fkey FOREIGN KEY(workspace, name, version) REFERENCES mcp_server_versions (workspace, name, version) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_versions (
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	version VARCHAR(128) NOT NULL, 
	version_major INTEGER NOT NULL, 
	version_minor INTEGER NOT NULL, 
	version_patch INTEGER NOT NULL, 
	version_prerelease_sort_key VARCHAR(512) NOT NULL, 
	server_json JSON NOT NULL, 
	status VARCHAR(20) DEFAULT 'draft' NOT NULL, 
	tools JSON, 
	source VARCHAR(512), 
	connect_options JSON, 
	created_by VARCHAR(256), 
	last_updated_by VARCHAR(256), 
	created_at BIGINT NOT NULL, 
	last_updated_at BIGINT NOT NULL, 
	CONSTRAINT mcp_server_versions_pk PRIMARY KEY (workspace, name, version), 
	CONSTRAINT mcp_server_versions_server_fkey FOREIGN KEY(workspace, name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_servers (
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	display_name VARCHAR(256), 
	description TEXT, 
	icons JSON, 
	created_by VARCHAR(256), 
	last_updated_by VARCHAR(256), 
	created_at BIGINT NOT NULL, 
	last_updated_at BIGINT NOT NULL, 
	CONSTRAINT mcp_servers_pk PRIMARY KEY (workspace, name)
);
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('seconds',2.17104257970004255184e+01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',0,0);
INSERT INTO "metrics" VALUES('cpu_seconds',4.858269,1796041441413,'7cd441f3ecae4b879c082fbecd945466',0,0);
INSERT INTO "metrics" VALUES('average_precision',8.00214764038605474993e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',0,0);
INSERT INTO "metrics" VALUES('rung_value',8.03594347198458458514e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',0,0);
INSERT INTO "metrics" VALUES('rung_value',7.68872596918352413375e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',1,0);
INSERT INTO "metrics" VALUES('rung_value',8.00214764038605474993e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',2,0);
INSERT INTO "metrics" VALUES('fold_score',8.03594347198458458514e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',0,0);
INSERT INTO "metrics" VALUES('fold_score',7.38846730499328807617e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',1,0);
INSERT INTO "metrics" VALUES('fold_score',7.64176713057269862972e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',2,0);
INSERT INTO "metrics" VALUES('fold_score',8.76097510511046562164e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',3,0);
INSERT INTO "metrics" VALUES('fold_score',8.18358518926923128589e-01,1796041441413,'7cd441f3ecae4b879c082fbecd945466',4,0);
INSERT INTO "metrics" VALUES('seconds',1.79849964999903022544e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',0,0);
INSERT INTO "metrics" VALUES('cpu_seconds',5.9598000000001150056e-02,1796041441502,'357a753dad1e4ac79b62e41f7113450d',0,0);
INSERT INTO "metrics" VALUES('average_precision',7.78094505000241243308e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',0,0);
INSERT INTO "metrics" VALUES('rung_value',7.80549802811476345354e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',0,0);
INSERT INTO "metrics" VALUES('rung_value',7.93824829103045082057e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',1,0);
INSERT INTO "metrics" VALUES('rung_value',7.78094505000241243308e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',2,0);
INSERT INTO "metrics" VALUES('fold_score',7.80549802811476345354e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',0,0);
INSERT INTO "metrics" VALUES('fold_score',7.98755822411230220758e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',1,0);
INSERT INTO "metrics" VALUES('fold_score',8.02168862086428680058e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',2,0);
INSERT INTO "metrics" VALUES('fold_score',8.10079551644572237734e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',3,0);
INSERT INTO "metrics" VALUES('fold_score',6.98918486047498732638e-01,1796041441502,'357a753dad1e4ac79b62e41f7113450d',4,0);
INSERT INTO "metrics" VALUES('seconds',0.700652873999843,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',0,0);
INSERT INTO "metrics" VALUES('cpu_seconds',7.66939999999998178736e-02,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',0,0);
INSERT INTO "metrics" VALUES('average_precision',7.64106107839719217444e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',0,0);
INSERT INTO "metrics" VALUES('rung_value',6.90106597892695128315e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',0,0);
INSERT INTO "metrics" VALUES('rung_value',0.806941926123209,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',1,0);
INSERT INTO "metrics" VALUES('rung_value',7.64106107839719217444e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',2,0);
INSERT INTO "metrics" VALUES('fold_score',6.90106597892695128315e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',0,0);
INSERT INTO "metrics" VALUES('fold_score',9.01766385998365338494e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',1,0);
INSERT INTO "metrics" VALUES('fold_score',8.28952794478566623581e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',2,0);
INSERT INTO "metrics" VALUES('fold_score',6.91854936812813736679e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',3,0);
INSERT INTO "metrics" VALUES('fold_score',7.07849824016155482198e-01,1796041441577,'90f7ed594acc4d4099fec02fd1207bc3',4,0);
INSERT INTO "metrics" VALUES('seconds',1.05711143000007723458e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',0,0);
INSERT INTO "metrics" VALUES('cpu_seconds',5.41629999999990729975e-02,1796041441661,'2d63967c86a24693a0011eb053277ad8',0,0);
INSERT INTO "metrics" VALUES('average_precision',7.90247125580863740701e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',0,0);
INSERT INTO "metrics" VALUES('rung_value',7.25639118115559922372e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',0,0);
INSERT INTO "metrics" VALUES('rung_value',8.15094152954976114422e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',1,0);
INSERT INTO "metrics" VALUES('rung_value',7.90247125580863740701e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',2,0);
INSERT INTO "metrics" VALUES('fold_score',7.25639118115559922372e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',0,0);
INSERT INTO "metrics" VALUES('fold_score',9.03856887735237202186e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',1,0);
INSERT INTO "metrics" VALUES('fold_score',8.15786453014131440752e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',2,0);
INSERT INTO "metrics" VALUES('fold_score',7.43908016926574600091e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',3,0);
INSERT INTO "metrics" VALUES('fold_score',7.62045152112815649125e-01,1796041441661,'2d63967c86a24693a0011eb053277ad8',4,0);
INSERT INTO "metrics" VALUES('seconds',2.76937188999909267295e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',0,0);
INSERT INTO "metrics" VALUES('cpu_seconds',6.4119999999999066631e-02,1796041441742,'87ccdb9588204542bfc2b2944a12f860',0,0);
INSERT INTO "metrics" VALUES('average_precision',7.96730476222471617475e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',0,0);
INSERT INTO "metrics" VALUES('rung_value',0.753460372539525,1796041441742,'87ccdb9588204542bfc2b2944a12f860',0,0);
INSERT INTO "metrics" VALUES('rung_value',7.76157828588052267626e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',1,0);
INSERT INTO "metrics" VALUES('rung_value',7.96730476222471617475e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',2,0);
INSERT INTO "metrics" VALUES('fold_score',0.753460372539525,1796041441742,'87ccdb9588204542bfc2b2944a12f860',0,0);
INSERT INTO "metrics" VALUES('fold_score',7.88724988854458630704e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',1,0);
INSERT INTO "metrics" VALUES('fold_score',7.86288124370172814003e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',2,0);
INSERT INTO "metrics" VALUES('fold_score',8.09511948677563153431e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',3,0);
INSERT INTO "metrics" VALUES('fold_score',8.45666946670638242089e-01,1796041441742,'87ccdb9588204542bfc2b2944a12f860',4,0);
INSERT INTO "metrics" VALUES('seconds',3.19822886000110884197e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',0,0);
INSERT INTO "metrics" VALUES('cpu_seconds',6.67919999999995184225e-02,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',0,0);
INSERT INTO "metrics" VALUES('average_precision',7.75207550641524578693e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',0,0);
INSERT INTO "metrics" VALUES('rung_value',5.94947623922284285491e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',0,0);
INSERT INTO "metrics" VALUES('rung_value',7.34728581826369797624e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',1,0);
INSERT INTO "metrics" VALUES('rung_value',7.75207550641524578693e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',2,0);
INSERT INTO "metrics" VALUES('fold_score',5.94947623922284285491e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',0,0);
INSERT INTO "metrics" VALUES('fold_score',7.186652727809157426e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',1,0);
INSERT INTO "metrics" VALUES('fold_score',8.90572848775909475804e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',2,0);
INSERT INTO "metrics" VALUES('fold_score',0.829126039578827,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',3,0);
INSERT INTO "metrics" VALUES('fold_score',8.42725968149686366359e-01,1796041441820,'735a2e90cec64d4798cf3b2bb42394e3',4,0);
INSERT INTO "metrics" VALUES('threshold',3.48625605262931181904e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.average_precision',7.82632035977307349838e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.average_precision.low',7.19905259490704496627e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.average_precision.high',8.34539884639316831282e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.roc_auc',9.3298981944710357439e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.roc_auc.low',9.09475154167206700783e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.roc_auc.high',9.50727255177236663108e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.matthews_corrcoef',6.37624105896549719929e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.matthews_corrcoef.low',5.65197651195016748104e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.matthews_corrcoef.high',0.700296319965027,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1',7.05539358600583144109e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1.low',6.45023231385332462828e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1.high',7.59584049823572748927e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1_macro',8.18109418490408302204e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1_macro.low',7.81639622660882493754e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1_macro.high',8.49659707241427253343e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1_micro',8.8777777777777777679e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1_micro.low',8.64732132556123578304e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.f1_micro.high',9.07317947183110429243e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.balanced_accuracy',8.31138507129716819221e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.balanced_accuracy.low',7.91537933689083428312e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.balanced_accuracy.high',8.64504089471512804365e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.precision',6.72222222222222276499e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.precision.low',5.96909661519881340474e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.precision.high',7.39602028908849851163e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.recall',7.42331288343558326481e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.recall.low',0.667004196605245,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.recall.high',0.805585271328715,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.specificity',9.19945725915875200939e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.specificity.low',8.97604124610919096305e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.specificity.high',9.37750708488777395821e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.g_mean',8.26380357901421613853e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.g_mean.low',7.82652960899569150043e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.g_mean.high',8.62851979009684577626e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.cohen_kappa',6.36429085673146155421e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.cohen_kappa.low',5.63660731906045819883e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.cohen_kappa.high',0.699394851785796,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.brier',7.52260529645907699558e-02,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.brier.low',6.45332824665614812609e-02,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.brier.high',8.76905501833671191524e-02,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.log_loss',2.40722044778931332231e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.log_loss.low',2.09455771580868171932e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.log_loss.high',0.276655555515104,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.expected_cost',5.32222222222222263177e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.expected_cost.low',4.06235764459204062859e-01,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
INSERT INTO "metrics" VALUES('test.expected_cost.high',0.697281033845573,1796041497484,'3f0f34cb55364b3182b0f00904888f58',0,0);
CREATE TABLE "model_definitions" (
	model_definition_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	secret_id VARCHAR(36), 
	provider VARCHAR(64) NOT NULL, 
	model_name VARCHAR(256) NOT NULL, 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	last_updated_by VARCHAR(255), 
	last_updated_at BIGINT NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_definitions_pk PRIMARY KEY (model_definition_id), 
	CONSTRAINT fk_model_definitions_secret_id FOREIGN KEY(secret_id) REFERENCES secrets (secret_id) ON DELETE SET NULL, 
	CONSTRAINT uq_model_definitions_workspace_name UNIQUE (workspace, name)
);
CREATE TABLE "model_version_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, "key", name, version), 
	CONSTRAINT fk_model_version_tags_model_versions FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE CASCADE
);
INSERT INTO "model_version_tags" VALUES('minorkey.label_horizon','0d','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.positives','163','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.rows','900','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.run_key','92329896b45a49a28013c9f8e2f1d4b8','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.seed','0','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.training_digest','c523682a45dfd9dafec5186325124f7e','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.digest','5ddbc9dcfe6b2d39f933296548fc249d6cca59f9bbd06b34110e66d5eb787451','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.bundle_uri','@PLACE@/home/bundles/5ddbc9dcfe6b2d39f933296548fc249d6cca59f9bbd06b34110e66d5eb787451','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.git_sha','6448b3b75b60c834df6b2c734fb89b88791c2fa4','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.decision','promote','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.decision_reason','There is no champion yet. The new model''s average precision is 0.783, at least 0.723 when bad luck is allowed for; ranking by chance gives 0.181. The new model is better than chance.','fraud',1,'default');
INSERT INTO "model_version_tags" VALUES('minorkey.compared_with','','fraud',1,'default');
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), 
	storage_location VARCHAR(500), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version), 
	CONSTRAINT fk_model_versions_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('fraud',1,1796041497390,1796041497390,NULL,NULL,'None','models:/m-7fc03ded115b40d792a08329944f3621','3f0f34cb55364b3182b0f00904888f58','READY',NULL,NULL,'file://@PLACE@/home/artifacts/fraud/models/m-7fc03ded115b40d792a08329944f3621/artifacts','default');
CREATE TABLE online_scoring_configs (
	online_scoring_config_id VARCHAR(36) NOT NULL, 
	scorer_id VARCHAR(36) NOT NULL, 
	sample_rate FLOAT NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	filter_string TEXT, 
	CONSTRAINT online_scoring_config_pk PRIMARY KEY (online_scoring_config_id), 
	CONSTRAINT fk_online_scoring_configs_scorer_id FOREIGN KEY(scorer_id) REFERENCES scorers (scorer_id) ON DELETE CASCADE, 
	CONSTRAINT fk_online_scoring_configs_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('family','logistic_regression','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "params" VALUES('resampler','none','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "params" VALUES('weight_exponent','1.0','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "params" VALUES('interactions','False','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "params" VALUES('train_window','None','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "params" VALUES('model.C','1.0','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "params" VALUES('family','logistic_regression','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "params" VALUES('resampler','none','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "params" VALUES('weight_exponent','1.0','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "params" VALUES('interactions','False','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "params" VALUES('train_window','None','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "params" VALUES('model.C','1.0','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "params" VALUES('family','logistic_regression','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "params" VALUES('resampler','none','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "params" VALUES('weight_exponent','1.0','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "params" VALUES('interactions','False','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "params" VALUES('train_window','None','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "params" VALUES('model.C','1.0','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "params" VALUES('family','logistic_regression','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "params" VALUES('resampler','none','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "params" VALUES('weight_exponent','1.0','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "params" VALUES('interactions','False','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "params" VALUES('train_window','None','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "params" VALUES('model.C','1.0','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "params" VALUES('family','logistic_regression','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "params" VALUES('resampler','none','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "params" VALUES('weight_exponent','1.0','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "params" VALUES('interactions','False','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "params" VALUES('train_window','None','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "params" VALUES('model.C','1.0','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "params" VALUES('family','logistic_regression','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "params" VALUES('resampler','none','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "params" VALUES('weight_exponent','1.0','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "params" VALUES('interactions','False','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "params" VALUES('train_window','None','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "params" VALUES('model.C','1.0','735a2e90cec64d4798cf3b2bb42394e3');
CREATE TABLE "registered_model_aliases" (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias), 
	CONSTRAINT fk_registered_model_aliases_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "registered_model_aliases" VALUES('challenger',1,'fraud','default');
INSERT INTO "registered_model_aliases" VALUES('champion',1,'fraud','default');
CREATE TABLE "registered_model_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, "key", name), 
	CONSTRAINT fk_registered_model_tags_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
CREATE TABLE "registered_models" (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name)
);
INSERT INTO "registered_models" VALUES('fraud',1796041497359,1796041497390,NULL,'default');
CREATE TABLE review_queue_items (
	queue_id VARCHAR(36) NOT NULL, 
	item_type VARCHAR(16) NOT NULL, 
	item_id VARCHAR(50) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	completed_by VARCHAR(250), 
	completed_time_ms BIGINT, 
	creation_time_ms BIGINT NOT NULL, 
	last_update_time_ms BIGINT NOT NULL, 
	CONSTRAINT review_queue_items_pk PRIMARY KEY (queue_id, item_id), 
	CONSTRAINT fk_review_queue_items_queue_id FOREIGN KEY(queue_id) REFERENCES review_queues (queue_id) ON DELETE CASCADE
);
CREATE TABLE review_queue_label_schemas (
	queue_id VARCHAR(36) NOT NULL, 
	schema_id VARCHAR(36) NOT NULL, 
	CONSTRAINT review_queue_label_schemas_pk PRIMARY KEY (queue_id, schema_id), 
	CONSTRAINT fk_review_queue_label_schemas_queue_id FOREIGN KEY(queue_id) REFERENCES review_queues (queue_id) ON DELETE CASCADE
);
CREATE TABLE review_queue_users (
	queue_id VARCHAR(36) NOT NULL, 
	user_id VARCHAR(250) NOT NULL, 
	CONSTRAINT review_queue_users_pk PRIMARY KEY (queue_id, user_id), 
	CONSTRAINT fk_review_queue_users_queue_id FOREIGN KEY(queue_id) REFERENCES review_queues (queue_id) ON DELETE CASCADE
);
CREATE TABLE review_queues (
	queue_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(250) NOT NULL, 
	queue_type VARCHAR(16) NOT NULL, 
	created_by VARCHAR(255), 
	creation_time_ms BIGINT NOT NULL, 
	last_update_time_ms BIGINT NOT NULL, 
	name_key VARCHAR(250) NOT NULL, 
	CONSTRAINT review_queues_pk PRIMARY KEY (queue_id), 
	CONSTRAINT fk_review_queues_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE, 
	CONSTRAINT uq_review_queues_experiment_name_key UNIQUE (experiment_id, name_key)
);
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('3f0f34cb55364b3182b0f00904888f58','fraud-92329896','UNKNOWN','','','unknown','FINISHED',1796041268594,1796041497574,'','active','file://@PLACE@/home/artifacts/fraud/3f0f34cb55364b3182b0f00904888f58/artifacts',1,NULL);
INSERT INTO "runs" VALUES('7cd441f3ecae4b879c082fbecd945466','outer-0-0-0000-logistic_regression','UNKNOWN','','','unknown','FINISHED',1796041419672,1796041441382,'','active','file://@PLACE@/home/artifacts/fraud/7cd441f3ecae4b879c082fbecd945466/artifacts',1,NULL);
INSERT INTO "runs" VALUES('357a753dad1e4ac79b62e41f7113450d','outer-0-1-0000-logistic_regression','UNKNOWN','','','unknown','FINISHED',1796041441304,1796041441483,'','active','file://@PLACE@/home/artifacts/fraud/357a753dad1e4ac79b62e41f7113450d/artifacts',1,NULL);
INSERT INTO "runs" VALUES('90f7ed594acc4d4099fec02fd1207bc3','outer-0-2-0000-logistic_regression','UNKNOWN','','','unknown','FINISHED',1796041440852,1796041441552,'','active','file://@PLACE@/home/artifacts/fraud/90f7ed594acc4d4099fec02fd1207bc3/artifacts',1,NULL);
INSERT INTO "runs" VALUES('2d63967c86a24693a0011eb053277ad8','outer-0-3-0000-logistic_regression','UNKNOWN','','','unknown','FINISHED',1796041441511,1796041441616,'','active','file://@PLACE@/home/artifacts/fraud/2d63967c86a24693a0011eb053277ad8/artifacts',1,NULL);
INSERT INTO "runs" VALUES('87ccdb9588204542bfc2b2944a12f860','outer-0-4-0000-logistic_regression','UNKNOWN','','','unknown','FINISHED',1796041441442,1796041441718,'','active','file://@PLACE@/home/artifacts/fraud/87ccdb9588204542bfc2b2944a12f860/artifacts',1,NULL);
INSERT INTO "runs" VALUES('735a2e90cec64d4798cf3b2bb42394e3','final-0000-logistic_regression','UNKNOWN','','','unknown','FINISHED',1796041441485,1796041441804,'','active','file://@PLACE@/home/artifacts/fraud/735a2e90cec64d4798cf3b2bb42394e3/artifacts',1,NULL);
CREATE TABLE scheduler_leases (
	lease_key VARCHAR(255) NOT NULL, 
	acquired_at BIGINT NOT NULL, 
	ttl_seconds INTEGER NOT NULL, 
	CONSTRAINT scheduler_leases_pk PRIMARY KEY (lease_key)
);
CREATE TABLE scorer_versions (
	scorer_id VARCHAR(36) NOT NULL, 
	scorer_version INTEGER NOT NULL, 
	serialized_scorer TEXT NOT NULL, 
	creation_time BIGINT, 
	CONSTRAINT scorer_version_pk PRIMARY KEY (scorer_id, scorer_version), 
	CONSTRAINT fk_scorer_versions_scorer_id FOREIGN KEY(scorer_id) REFERENCES scorers (scorer_id) ON DELETE CASCADE
);
CREATE TABLE scorers (
	experiment_id INTEGER NOT NULL, 
	scorer_name VARCHAR(256) NOT NULL, 
	scorer_id VARCHAR(36) NOT NULL, 
	CONSTRAINT scorer_pk PRIMARY KEY (scorer_id), 
	CONSTRAINT fk_scorers_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE TABLE "secrets" (
	secret_id VARCHAR(36) NOT NULL, 
	secret_name VARCHAR(255) NOT NULL, 
	encrypted_value BLOB NOT NULL, 
	wrapped_dek BLOB NOT NULL, 
	kek_version INTEGER NOT NULL, 
	masked_value VARCHAR(500) NOT NULL, 
	provider VARCHAR(64), 
	auth_config TEXT, 
	description TEXT, 
	created_by VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	last_updated_by VARCHAR(255), 
	last_updated_at BIGINT NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT secrets_pk PRIMARY KEY (secret_id), 
	CONSTRAINT uq_secrets_workspace_secret_name UNIQUE (workspace, secret_name)
);
CREATE TABLE span_metrics (
	trace_id VARCHAR(50) NOT NULL, 
	span_id VARCHAR(50) NOT NULL, 
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT, 
	CONSTRAINT span_metrics_pk PRIMARY KEY (trace_id, span_id, "key"), 
	CONSTRAINT fk_span_metrics_span FOREIGN KEY(trace_id, span_id) REFERENCES spans (trace_id, span_id) ON DELETE CASCADE
);
CREATE TABLE "spans" (
	trace_id VARCHAR(50) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	span_id VARCHAR(50) NOT NULL, 
	parent_span_id VARCHAR(50), 
	name TEXT, 
	type VARCHAR(500), 
	status VARCHAR(50) NOT NULL, 
	start_time_unix_nano BIGINT NOT NULL, 
	end_time_unix_nano BIGINT, 
	duration_ns BIGINT GENERATED ALWAYS AS (end_time_unix_nano - start_time_unix_nano) STORED, 
	content TEXT NOT NULL, 
	input_cost FLOAT, 
	output_cost FLOAT, 
	total_cost FLOAT, 
	model_name VARCHAR(500), 
	model_provider VARCHAR(500), 
	CONSTRAINT spans_pk PRIMARY KEY (trace_id, span_id), 
	CONSTRAINT fk_spans_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_spans_trace_id FOREIGN KEY(trace_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE TABLE sql_assessment_daily_rollups (
	id INTEGER NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	rollup_day DATE NOT NULL, 
	metric_name VARCHAR(250) NOT NULL, 
	grouping_set VARCHAR(50) NOT NULL, 
	sample_count BIGINT NOT NULL, 
	sum_value FLOAT, 
	min_value FLOAT, 
	max_value FLOAT, 
	CONSTRAINT sql_assessment_daily_rollups_pk PRIMARY KEY (id)
);
CREATE TABLE sql_span_cost_daily_rollups (
	id INTEGER NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	rollup_day DATE NOT NULL, 
	metric_name VARCHAR(250) NOT NULL, 
	grouping_set VARCHAR(50) NOT NULL, 
	model_name VARCHAR(500), 
	model_provider VARCHAR(500), 
	sample_count BIGINT NOT NULL, 
	sum_value FLOAT, 
	min_value FLOAT, 
	max_value FLOAT, 
	CONSTRAINT sql_span_cost_daily_rollups_pk PRIMARY KEY (id)
);
CREATE TABLE sql_trace_metric_daily_rollups (
	id INTEGER NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	rollup_day DATE NOT NULL, 
	metric_name VARCHAR(250) NOT NULL, 
	grouping_set VARCHAR(50) NOT NULL, 
	trace_status VARCHAR(50), 
	sample_count BIGINT NOT NULL, 
	sum_value FLOAT, 
	min_value FLOAT, 
	max_value FLOAT, 
	p50_value FLOAT, 
	p90_value FLOAT, 
	p99_value FLOAT, 
	CONSTRAINT sql_trace_metric_daily_rollups_pk PRIMARY KEY (id)
);
CREATE TABLE sql_trace_rollup_rebuild_queue (
	experiment_id INTEGER NOT NULL, 
	rollup_day DATE NOT NULL, 
	rollup_family VARCHAR(50) NOT NULL, 
	CONSTRAINT sql_trace_rollup_rebuild_queue_pk PRIMARY KEY (experiment_id, rollup_day, rollup_family)
);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('minorkey.run_key','92329896b45a49a28013c9f8e2f1d4b8','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('minorkey.kind','run','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('minorkey.model','fraud','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('mlflow.runName','fraud-92329896','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('mlflow.parentRunId','3f0f34cb55364b3182b0f00904888f58','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "tags" VALUES('minorkey.kind','trial','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "tags" VALUES('minorkey.study','outer-0-0','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "tags" VALUES('minorkey.trial','0','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "tags" VALUES('minorkey.outcome','complete','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "tags" VALUES('mlflow.runName','outer-0-0-0000-logistic_regression','7cd441f3ecae4b879c082fbecd945466');
INSERT INTO "tags" VALUES('mlflow.parentRunId','3f0f34cb55364b3182b0f00904888f58','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "tags" VALUES('minorkey.kind','trial','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "tags" VALUES('minorkey.study','outer-0-1','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "tags" VALUES('minorkey.trial','0','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "tags" VALUES('minorkey.outcome','complete','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "tags" VALUES('mlflow.runName','outer-0-1-0000-logistic_regression','357a753dad1e4ac79b62e41f7113450d');
INSERT INTO "tags" VALUES('mlflow.parentRunId','3f0f34cb55364b3182b0f00904888f58','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "tags" VALUES('minorkey.kind','trial','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "tags" VALUES('minorkey.study','outer-0-2','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "tags" VALUES('minorkey.trial','0','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "tags" VALUES('minorkey.outcome','complete','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "tags" VALUES('mlflow.runName','outer-0-2-0000-logistic_regression','90f7ed594acc4d4099fec02fd1207bc3');
INSERT INTO "tags" VALUES('mlflow.parentRunId','3f0f34cb55364b3182b0f00904888f58','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "tags" VALUES('minorkey.kind','trial','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "tags" VALUES('minorkey.study','outer-0-3','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "tags" VALUES('minorkey.trial','0','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "tags" VALUES('minorkey.outcome','complete','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "tags" VALUES('mlflow.runName','outer-0-3-0000-logistic_regression','2d63967c86a24693a0011eb053277ad8');
INSERT INTO "tags" VALUES('mlflow.parentRunId','3f0f34cb55364b3182b0f00904888f58','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "tags" VALUES('minorkey.kind','trial','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "tags" VALUES('minorkey.study','outer-0-4','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "tags" VALUES('minorkey.trial','0','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "tags" VALUES('minorkey.outcome','complete','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "tags" VALUES('mlflow.runName','outer-0-4-0000-logistic_regression','87ccdb9588204542bfc2b2944a12f860');
INSERT INTO "tags" VALUES('mlflow.parentRunId','3f0f34cb55364b3182b0f00904888f58','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "tags" VALUES('minorkey.kind','trial','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "tags" VALUES('minorkey.study','final','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "tags" VALUES('minorkey.trial','0','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "tags" VALUES('minorkey.outcome','complete','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "tags" VALUES('mlflow.runName','final-0000-logistic_regression','735a2e90cec64d4798cf3b2bb42394e3');
INSERT INTO "tags" VALUES('minorkey.decision','promote','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('minorkey.decision_reason','There is no champion yet. The new model''s average precision is 0.783, at least 0.723 when bad luck is allowed for; ranking by chance gives 0.181. The new model is better than chance.','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('minorkey.digest','5ddbc9dcfe6b2d39f933296548fc249d6cca59f9bbd06b34110e66d5eb787451','3f0f34cb55364b3182b0f00904888f58');
INSERT INTO "tags" VALUES('minorkey.model_version','1','3f0f34cb55364b3182b0f00904888f58');
CREATE TABLE "trace_info" (
	request_id VARCHAR(50) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	timestamp_ms BIGINT NOT NULL, 
	execution_time_ms BIGINT, 
	status VARCHAR(50) NOT NULL, 
	client_request_id VARCHAR(50), 
	request_preview VARCHAR(1000), 
	response_preview VARCHAR(1000), 
	db_payload_generation INTEGER DEFAULT '0' NOT NULL, trace_name VARCHAR(4096), session_id VARCHAR(250), input_tokens BIGINT, output_tokens BIGINT, total_tokens BIGINT, cache_read_input_tokens BIGINT, cache_creation_input_tokens BIGINT, cache_creation_input_tokens_above_1hr BIGINT, input_cost FLOAT, output_cost FLOAT, total_cost FLOAT, 
	CONSTRAINT trace_info_pk PRIMARY KEY (request_id), 
	CONSTRAINT fk_trace_info_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE TABLE trace_metrics (
	request_id VARCHAR(50) NOT NULL, 
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT, 
	CONSTRAINT trace_metrics_pk PRIMARY KEY (request_id, "key"), 
	CONSTRAINT fk_trace_metrics_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE TABLE "trace_request_metadata" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	request_id VARCHAR(50) NOT NULL, 
	CONSTRAINT trace_request_metadata_pk PRIMARY KEY ("key", request_id), 
	CONSTRAINT fk_trace_request_metadata_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE TABLE "trace_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	request_id VARCHAR(50) NOT NULL, 
	CONSTRAINT trace_tag_pk PRIMARY KEY ("key", request_id), 
	CONSTRAINT fk_trace_tags_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE TABLE webhook_events (
	webhook_id VARCHAR(256) NOT NULL, 
	entity VARCHAR(50) NOT NULL, 
	action VARCHAR(50) NOT NULL, 
	CONSTRAINT webhook_event_pk PRIMARY KEY (webhook_id, entity, action), 
	FOREIGN KEY(webhook_id) REFERENCES webhooks (webhook_id) ON DELETE cascade
);
CREATE TABLE "webhooks" (
	webhook_id VARCHAR(256) NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	description VARCHAR(1000), 
	url VARCHAR(500) NOT NULL, 
	status VARCHAR(20) DEFAULT 'ACTIVE' NOT NULL, 
	secret VARCHAR(1000), 
	creation_timestamp BIGINT, 
	last_updated_timestamp BIGINT, 
	deleted_timestamp BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT webhook_pk PRIMARY KEY (webhook_id)
);
CREATE TABLE workspaces (
	name VARCHAR(63) NOT NULL, 
	description TEXT, 
	default_artifact_root TEXT, trace_archival_location TEXT, trace_archival_retention VARCHAR(32), 
	CONSTRAINT workspaces_pk PRIMARY KEY (name)
);
INSERT INTO "workspaces" VALUES('default','Default workspace for legacy resources',NULL,NULL,NULL);
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE INDEX index_inputs_input_uuid ON inputs (input_uuid);
CREATE INDEX index_inputs_destination_type_destination_id_source_type ON inputs (destination_type, destination_id, source_type);
CREATE INDEX index_params_run_uuid ON params (run_uuid);
CREATE INDEX index_trace_tags_request_id ON trace_tags (request_id);
CREATE INDEX index_trace_request_metadata_request_id ON trace_request_metadata (request_id);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
CREATE INDEX index_datasets_dataset_uuid ON datasets (dataset_uuid);
CREATE INDEX index_datasets_experiment_id_dataset_source_type ON datasets (experiment_id, dataset_source_type);
CREATE INDEX index_logged_model_metrics_model_id ON logged_model_metrics (model_id);
CREATE INDEX index_entity_associations_association_id ON entity_associations (association_id);
CREATE INDEX index_entity_associations_reverse_lookup ON entity_associations (destination_type, destination_id, source_type, source_id);
CREATE INDEX idx_webhook_events_entity ON webhook_events (entity);
CREATE INDEX idx_webhook_events_action ON webhook_events (action);
CREATE INDEX idx_webhook_events_entity_action ON webhook_events (entity, action);
CREATE UNIQUE INDEX index_scorers_experiment_id_scorer_name ON scorers (experiment_id, scorer_name);
CREATE INDEX index_scorer_versions_scorer_id ON scorer_versions (scorer_id);
CREATE INDEX index_evaluation_dataset_tags_dataset_id ON evaluation_dataset_tags (dataset_id);
CREATE INDEX index_evaluation_dataset_records_dataset_id ON evaluation_dataset_records (dataset_id);
CREATE INDEX index_endpoint_model_mappings_endpoint_id ON endpoint_model_mappings (endpoint_id);
CREATE INDEX index_endpoint_model_mappings_model_definition_id ON endpoint_model_mappings (model_definition_id);
CREATE INDEX index_endpoint_tags_endpoint_id ON endpoint_tags (endpoint_id);
CREATE INDEX index_trace_metrics_request_id ON trace_metrics (request_id);
CREATE UNIQUE INDEX unique_endpoint_model_linkage_mapping ON endpoint_model_mappings (endpoint_id, model_definition_id, linkage_type);
CREATE INDEX index_span_metrics_trace_id_span_id ON span_metrics (trace_id, span_id);
CREATE INDEX index_evaluation_datasets_created_time ON evaluation_datasets (created_time);
CREATE INDEX index_evaluation_datasets_name ON evaluation_datasets (name);
CREATE INDEX idx_webhooks_name ON webhooks (name);
CREATE INDEX idx_webhooks_status ON webhooks (status);
CREATE TRIGGER prevent_secrets_aad_mutation
BEFORE UPDATE ON secrets
FOR EACH ROW
WHEN OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name
BEGIN
    SELECT RAISE(ABORT, 'secret_id and secret_name are immutable (used as AAD in encryption)');
END;
CREATE INDEX index_model_definitions_secret_id ON model_definitions (secret_id);
CREATE INDEX index_model_definitions_provider ON model_definitions (provider);
CREATE INDEX index_jobs_name_status_creation_time ON jobs (job_name, workspace, status, creation_time);
CREATE INDEX idx_experiments_workspace ON experiments (workspace);
CREATE INDEX idx_registered_models_workspace ON registered_models (workspace);
CREATE INDEX idx_experiments_workspace_creation_time ON experiments (workspace, creation_time);
CREATE INDEX idx_evaluation_datasets_workspace ON evaluation_datasets (workspace);
CREATE INDEX idx_webhooks_workspace ON webhooks (workspace);
CREATE INDEX idx_secrets_workspace ON secrets (workspace);
CREATE INDEX idx_endpoints_workspace ON endpoints (workspace);
CREATE INDEX idx_model_definitions_workspace ON model_definitions (workspace);
CREATE INDEX idx_budget_policies_workspace ON budget_policies (workspace);
CREATE INDEX index_issues_experiment_id ON issues (experiment_id);
CREATE INDEX index_issues_source_run_id ON issues (source_run_id);
CREATE INDEX index_issues_status ON issues (status);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, "key", step);
CREATE INDEX idx_guardrails_workspace ON guardrails (workspace);
CREATE INDEX idx_guardrails_scorer ON guardrails (scorer_id, scorer_version);
CREATE INDEX idx_guardrail_configs_endpoint_id ON guardrail_configs (endpoint_id);
CREATE INDEX idx_guardrail_configs_guardrail_id ON guardrail_configs (guardrail_id);
CREATE INDEX idx_model_version_tags_workspace_name_version ON model_version_tags (workspace, name, version);
CREATE INDEX idx_registered_model_tags_workspace_name ON registered_model_tags (workspace, name);
CREATE INDEX index_label_schemas_experiment_id ON label_schemas (experiment_id);
CREATE INDEX index_review_queues_experiment_id ON review_queues (experiment_id);
CREATE INDEX index_review_queue_users_user_id ON review_queue_users (user_id);
CREATE INDEX index_review_queue_items_queue_id_status ON review_queue_items (queue_id, status);
CREATE INDEX index_review_queue_items_item_id ON review_queue_items (item_id);
CREATE INDEX index_review_queue_label_schemas_schema_id ON review_queue_label_schemas (schema_id);
CREATE INDEX idx_mcp_server_versions_latest ON mcp_server_versions (workspace, name, status, version_major DESC, version_minor DESC, version_patch DESC);
CREATE INDEX ix_mcp_access_endpoints_server_name ON mcp_access_endpoints (workspace, server_name);
CREATE INDEX ix_mcp_access_endpoints_version ON mcp_access_endpoints (workspace, server_name, server_version);
CREATE INDEX ix_mcp_access_endpoints_alias ON mcp_access_endpoints (workspace, server_name, server_alias);
CREATE INDEX idx_budget_policies_target_value ON budget_policies (target_value);
CREATE INDEX index_trace_info_experiment_id_timestamp_ms ON trace_info (experiment_id, timestamp_ms);
CREATE INDEX index_trace_info_timestamp_ms_request_id ON trace_info (timestamp_ms, request_id);
CREATE INDEX index_assessments_trace_id_created_timestamp ON assessments (trace_id, created_timestamp);
CREATE INDEX index_assessments_assessment_type ON assessments (assessment_type);
CREATE INDEX index_assessments_last_updated_timestamp ON assessments (last_updated_timestamp);
CREATE INDEX index_assessments_run_id_created_timestamp ON assessments (run_id, created_timestamp);
CREATE INDEX index_spans_experiment_id_type_status ON spans (experiment_id, type, status);
CREATE INDEX index_spans_experiment_id_start_time ON spans (experiment_id, start_time_unix_nano);
CREATE INDEX index_spans_experiment_id_status_type ON spans (experiment_id, status, type);
CREATE INDEX index_spans_experiment_id_duration ON spans (experiment_id, duration_ns);
CREATE INDEX index_trace_info_experiment_id_session_id ON trace_info (experiment_id, session_id);
CREATE INDEX idx_trace_rollups_lookup ON sql_trace_metric_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, trace_status);
CREATE INDEX idx_span_cost_rollups_lookup ON sql_span_cost_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, model_name, model_provider);
CREATE INDEX idx_assessment_rollups_lookup ON sql_assessment_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set);
CREATE INDEX idx_spans_cost_trace_time_cover ON spans (trace_id, start_time_unix_nano);
CREATE INDEX idx_spans_cost_exp_time_cover ON spans (experiment_id, start_time_unix_nano);
CREATE INDEX idx_assessments_exp_trace_ts ON assessments (experiment_id, trace_timestamp_ms);
CREATE INDEX idx_assessments_exp_trace_ts_name ON assessments (experiment_id, trace_timestamp_ms, name);
CREATE INDEX idx_assessments_exp_name_valid ON assessments (experiment_id, name, valid);
CREATE INDEX index_job_locks_job_id ON job_locks (job_id);
CREATE INDEX index_jobs_status_lease_expires_at ON jobs (status, lease_expires_at);
COMMIT;
