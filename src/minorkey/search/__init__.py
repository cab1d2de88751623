"""Samplers, pruners, the portfolio and the driver that owns the study."""
