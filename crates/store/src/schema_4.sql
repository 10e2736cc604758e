-- Version 4. Who holds bytes, and artifacts.

-- Who may point at bytes: an entity that sent all of them. For every other they do not exist.
CREATE TABLE blob_holders (
    sha256 BLOB NOT NULL,
    entity TEXT NOT NULL,
    -- From when on the entity holds them no more; null while one of its names points at them.
    removable_at DOUBLE PRECISION,
    PRIMARY KEY (sha256, entity)
) WITHOUT ROWID;
CREATE INDEX blob_holders_removable ON blob_holders (removable_at) WHERE removable_at IS NOT NULL;

-- From here on `blobs.removable_at` is null while anybody holds the bytes. Those without a name had a day to get one, which
-- goes on.
INSERT INTO blob_holders (sha256, entity)
    SELECT DISTINCT f.sha256, p.entity FROM files f JOIN runs r ON r.id = f.run JOIN projects p ON p.id = r.project;
