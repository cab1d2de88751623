"""The services that a run on a cluster keeps its state in: an S3 bucket and a PostgreSQL database."""
