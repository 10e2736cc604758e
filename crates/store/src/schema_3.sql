-- Version 3. What processes print, what machines are busy with, and where alerts are sent.

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

-- Which system metrics a run has, with the labels of their processes, and how many points of each came.
CREATE TABLE system_series (
    run BIGINT NOT NULL,
    name TEXT NOT NULL,
    point_count BIGINT NOT NULL,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;

-- Places that alerts are sent to. A channel that was removed stays as a name for what was sent there, without its target.
CREATE TABLE alert_channels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    -- Name of the project whose alerts it takes; null for all of the entity.
    project TEXT,
    -- email, slack or webhook
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- A mail address or a URL. Who knows the URL may post there: it is never answered in full.
    target TEXT NOT NULL,
    -- What messages are signed with.
    secret TEXT,
    -- Alerts below it are not sent: INFO, WARN or ERROR.
    level TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    created_by TEXT,
    removed_at DOUBLE PRECISION
);
CREATE INDEX alert_channels_by_entity ON alert_channels (entity) WHERE removed_at IS NULL;

-- What becomes of an alert at a channel. Made in the transaction that stores the alert.
CREATE TABLE alert_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alert BIGINT NOT NULL,
    run BIGINT NOT NULL,
    channel BIGINT NOT NULL,
    -- What the receiver knows the message by: the same at every try.
    message_id TEXT NOT NULL,
    -- waiting, sending, sent, failed, unknown or skipped
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- There while it waits.
    next_attempt_at DOUBLE PRECISION,
    last_attempt_at DOUBLE PRECISION,
    delivered_at DOUBLE PRECISION,
    error TEXT,
    UNIQUE (alert, channel)
);
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (next_attempt_at, id, channel) WHERE state = 'waiting';
CREATE INDEX alert_deliveries_sending ON alert_deliveries (id) WHERE state = 'sending';
CREATE INDEX alert_deliveries_by_channel ON alert_deliveries (channel, state);
CREATE INDEX alert_deliveries_by_run ON alert_deliveries (run);
