-- Version 3. Where alerts are sent.

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
