"""The trial, what runs it, and where trials and driver meet."""
