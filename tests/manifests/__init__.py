"""What platform engineers apply from Git: built by kubectl, and held against schemas and rules."""
