"""Sources, schema, profile, splits and the fold store."""
