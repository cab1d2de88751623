"""Resamplers, one file a family."""
