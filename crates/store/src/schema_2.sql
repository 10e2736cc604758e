-- Version 2. What charts read of long columns: made from the chunks, and made again where it is missing or damaged.

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
