-- Version 2. Statistics of long columns, alerts, metric definitions, and runs that go on from others.

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
