"""Callbacks and loggers for the frameworks that people train with; each module needs its framework, steplog none."""
