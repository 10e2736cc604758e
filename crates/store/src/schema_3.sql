-- Version 3. What processes print, and what machines are busy with.

-- Lines of a process, some hundred kilobytes to a row. A line may stand in several: the one with the highest id has its
-- text, the one with the lowest its time.
CREATE TABLE console_chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    stream BIGINT NOT NULL,
    -- Bytes of the texts and a fixed sum for each line: small chunks at the end are joined.
    weight BIGINT NOT NULL,
    last_line BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    -- Numbers, times, outputs and lengths.
    head_checksum BIGINT NOT NULL,
    head BLOB NOT NULL,
    -- The texts, each followed by a line break.
    checksum BIGINT NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX console_chunks_by_run ON console_chunks (run, stream, id, weight, last_line, line_count);

-- Samples of a process, some hundred kilobytes to a row.
CREATE TABLE system_chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    stream BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    sample_count BIGINT NOT NULL,
    checksum BIGINT NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX system_chunks_by_run ON system_chunks (run, stream, id, weight, sample_count);

-- Which system metrics a run has, and how many points of each came. Their keys begin with `_system/` and stand among those
-- of the metrics.
CREATE TABLE system_series (
    run BIGINT NOT NULL,
    key BIGINT NOT NULL,
    point_count BIGINT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX system_series_by_key ON system_series (key, run, point_count);
