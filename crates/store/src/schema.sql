-- Version 1. Times are Unix seconds; `data`, `bytes`, `value`, `config` and `sealed_state` are encoded by this crate.

CREATE TABLE facts (name TEXT PRIMARY KEY, number DOUBLE PRECISION NOT NULL);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    name TEXT NOT NULL,
    -- How many runs it ever had: the number in the next name that is made up.
    runs_ever BIGINT NOT NULL DEFAULT 0,
    UNIQUE (entity, name)
);

CREATE TABLE runs (
    -- Never used again for another run, so that caches need no look at deletions.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project BIGINT NOT NULL,
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    name_is_ours BOOLEAN NOT NULL,
    notes TEXT,
    tags TEXT NOT NULL,
    run_group TEXT,
    job_type TEXT,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    -- Newest time in its records.
    last_time DOUBLE PRECISION NOT NULL,
    finished_at DOUBLE PRECISION,
    exit_code BIGINT,
    -- Last sign of life of a stream that has not ended; null when the run has ended.
    alive_at DOUBLE PRECISION,
    -- Whether signs of life are the times in the records, not of their receipt.
    by_record_time BOOLEAN NOT NULL,
    last_step BIGINT,
    row_count BIGINT NOT NULL DEFAULT 0,
    key_count BIGINT NOT NULL DEFAULT 0,
    stop BOOLEAN NOT NULL DEFAULT FALSE,
    config BLOB NOT NULL,
    environment TEXT NOT NULL,
    -- Rows with a lower sequence number are in chunks.
    sealed_sequence BIGINT NOT NULL DEFAULT 0,
    next_block BIGINT NOT NULL DEFAULT 0,
    UNIQUE (project, run_id)
);
CREATE INDEX runs_by_creation ON runs (project, created_at DESC, id DESC);
CREATE INDEX runs_by_life ON runs (alive_at) WHERE alive_at IS NOT NULL;

CREATE TABLE streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    stream BLOB NOT NULL,
    durable_offset BIGINT NOT NULL,
    sealed_offset BIGINT NOT NULL DEFAULT 0,
    record_count BIGINT NOT NULL DEFAULT 0,
    started_at DOUBLE PRECISION NOT NULL,
    -- Newest time in its records.
    last_time DOUBLE PRECISION NOT NULL,
    received_at DOUBLE PRECISION NOT NULL,
    exited_at DOUBLE PRECISION,
    exit_code BIGINT,
    parent BLOB,
    host TEXT,
    process_id BIGINT,
    damage TEXT,
    -- The key table and the open row at sealed_offset.
    sealed_state BLOB NOT NULL,
    UNIQUE (run, stream)
);

-- Streams of runs that were deleted: what they still send is refused.
CREATE TABLE deleted_streams (stream BLOB PRIMARY KEY, deleted_at DOUBLE PRECISION NOT NULL);

-- Journal bytes that are not in chunks yet; the order of id is the order of arrival.
CREATE TABLE journal_bytes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    stream BIGINT NOT NULL,
    start_offset BIGINT NOT NULL,
    end_offset BIGINT NOT NULL,
    checksum BIGINT NOT NULL,
    bytes BLOB NOT NULL
);
CREATE INDEX journal_bytes_by_run ON journal_bytes (run);

-- Metric keys.
CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project BIGINT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (project, name)
);

-- One metric of one run.
CREATE TABLE columns (
    run BIGINT NOT NULL,
    key BIGINT NOT NULL,
    -- What kinds of values it holds in chunks, a set of bits.
    kinds BIGINT NOT NULL DEFAULT 0,
    -- How many points it has in chunks.
    point_count BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX columns_by_key ON columns (key, run, kinds, point_count);

-- Rows of a run that have the same keys: their steps, times and sequence numbers, shared by the chunks.
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    block BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    column_count BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    first_step BIGINT NOT NULL,
    last_step BIGINT NOT NULL,
    checksum BIGINT NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (run, block)
);

-- The values of one key in the rows of a block.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    key BIGINT NOT NULL,
    block BIGINT NOT NULL,
    kinds BIGINT NOT NULL,
    statistics BLOB NOT NULL,
    checksum BIGINT NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (run, key, block)
);
CREATE INDEX chunks_by_block ON chunks (run, block);

-- Paths in configs and summaries: `config.lr`, `summary.loss`.
CREATE TABLE fields (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project BIGINT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (project, name)
);

-- Configs and summaries, flat. By field first: a filter or a sort reads one field of all runs.
CREATE TABLE run_values (
    field BIGINT NOT NULL,
    run BIGINT NOT NULL,
    number DOUBLE PRECISION,
    text TEXT,
    value BLOB NOT NULL,
    -- The row that a summary value comes from; null for config, and for summaries set by hand.
    step BIGINT,
    PRIMARY KEY (field, run)
) WITHOUT ROWID;
CREATE INDEX run_values_by_run ON run_values (run);

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    admin BOOLEAN NOT NULL,
    created_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    label TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at DOUBLE PRECISION NOT NULL,
    last_used_at DOUBLE PRECISION
);

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user_name TEXT NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
);
