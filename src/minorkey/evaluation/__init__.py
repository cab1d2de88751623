"""Metrics, intervals, thresholds, calibration, selection, the gate and the report."""
