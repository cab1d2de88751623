"""The parts of the API contract, one subject a file."""
