"""The feedback service: late labels joined to predictions, counted once they are mature."""
