"""Drift: do today's rows come from where the reference came from, and what would that cost?"""
