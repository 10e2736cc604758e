-- Version 2. Statistics of long columns, alerts, files, metric definitions, runs that go on from others, and changes by
-- people.

-- What charts read of long columns: made from the chunks, and made again where it is missing or damaged.
CREATE TABLE pyramids (
    run BIGINT NOT NULL,
    key BIGINT NOT NULL,
    -- Rows with a lower sequence number are in.
    next_sequence BIGINT NOT NULL,
    -- How many points the column had in chunks.
    point_count BIGINT NOT NULL,
    checksum BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run, key)
);

-- What runs told people.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project BIGINT NOT NULL,
    run BIGINT NOT NULL,
    time DOUBLE PRECISION NOT NULL,
    level TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    wait_millis BIGINT NOT NULL,
    -- Whether it came within the waiting time of another one of its run with the same title.
    repeated BOOLEAN NOT NULL
);
CREATE INDEX alerts_by_project ON alerts (project, time DESC, id DESC);
CREATE INDEX alerts_by_run ON alerts (run, title, time);

-- Bytes of files, which lie in blobs/ under their hash. A row is there before its bytes and goes after them.
CREATE TABLE blobs (
    sha256 BLOB PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    -- From when on they may be removed; null while a name points at them.
    removable_at DOUBLE PRECISION
);
CREATE INDEX blobs_removable ON blobs (removable_at) WHERE removable_at IS NOT NULL;

-- Files of runs: names that point at bytes.
CREATE TABLE files (
    run BIGINT NOT NULL,
    path TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size_bytes BIGINT NOT NULL,
    policy TEXT,
    -- When the file was last changed where it was made.
    modified_at DOUBLE PRECISION,
    updated_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run, path)
);
CREATE INDEX files_by_blob ON files (sha256);

-- What journals say about files: those that save() was called for.
CREATE TABLE saved_files (
    run BIGINT NOT NULL,
    path TEXT NOT NULL,
    policy TEXT NOT NULL,
    -- Where the link in the run's folder leads; null where the file itself stands there.
    source TEXT,
    time DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run, path)
);

-- What the script said about its metrics, a JSON list.
ALTER TABLE runs ADD COLUMN metrics TEXT NOT NULL DEFAULT '[]';
-- Whether the process said that it is about to be taken off its machine.
ALTER TABLE runs ADD COLUMN preempting BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE runs ADD COLUMN sweep_id TEXT;
-- Means in the summary as of sealed_sequence, with how many numbers they are of: what comes later is added to these.
ALTER TABLE runs ADD COLUMN sealed_means BLOB;
-- The run whose rows up to a step count as this one's.
ALTER TABLE runs ADD COLUMN fork_run_id TEXT;
ALTER TABLE runs ADD COLUMN fork_step BIGINT;
-- A JSON list of [sequence, step], as of sealed_sequence: rows with a lower sequence number and a higher step do not count.
ALTER TABLE runs ADD COLUMN sealed_rewinds TEXT NOT NULL DEFAULT '[]';

-- What the script calls this process, when several write one run.
ALTER TABLE streams ADD COLUMN label TEXT;

-- What people changed of configs and summaries: it wins over what the journals say.
CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    -- config or summary
    noun TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Null where the key was removed.
    value BLOB,
    UNIQUE (run, noun, key)
);
