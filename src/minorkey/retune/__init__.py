"""The retune trigger: from an alert to a run, at most one a cool-down, with a ledger that says why."""
