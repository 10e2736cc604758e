"""What `bench/run.py` measures: a file for each part of the system, each a function that yields results."""
