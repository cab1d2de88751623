"""What backs the numbers in the README: each module runs as ``python -m benchmarks.<name>``."""
