"""One file for each tracker, all with the same names.

`VENV` and `REQUIREMENTS` say what to install, `IMPORT` what a user imports, `ENVIRONMENT` what keeps the tracker on
this machine, `CALLS` how many rows it is given at most (only set for one that would take minutes). `start(folder)`
begins a run that keeps its data below `folder` and answers `log(row, step)`; `finish()` ends it; `count(folder)` says
how many rows another process finds there. A tracker with a local server also has `ingest(folder, points, point)`, which
returns when the points can be asked for, and `server(folder)`, a context manager that answers `ask(points)`: the values
of a chart, or its numbers if a bucket has more than one.
"""
