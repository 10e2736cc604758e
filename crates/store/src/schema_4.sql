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

-- Artifacts from here on. Collections of versions.
CREATE TABLE artifact_collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- source or registry
    kind TEXT NOT NULL,
    type TEXT NOT NULL,
    description TEXT,
    -- A JSON list.
    protected_aliases TEXT NOT NULL DEFAULT '[]',
    -- The number of the next version: none is used twice, whatever was removed.
    next_version BIGINT NOT NULL DEFAULT 0,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    -- Whether it is gone and only remembers the number: for one that gets its name.
    removed BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (project, name)
);

-- What versions consist of: JSON lines that an entity committed, row by row.
CREATE TABLE manifests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    -- Of the JSON lines.
    sha256 BLOB NOT NULL,
    -- Equal for equal paths and bytes.
    content_hash BLOB NOT NULL,
    -- MD5, as the field knows the content.
    digest BLOB NOT NULL,
    file_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- Whether all rows are there: a version may point at it then.
    ready BOOLEAN NOT NULL,
    -- From when on it may be removed; null while a version points at it, or somebody writes it.
    removable_at DOUBLE PRECISION
);
CREATE UNIQUE INDEX manifests_by_hash ON manifests (entity, sha256) WHERE ready;
CREATE INDEX manifests_by_digest ON manifests (digest);
CREATE INDEX manifests_removable ON manifests (removable_at) WHERE removable_at IS NOT NULL;

-- Either md5, sha256 and a size, or a reference with its digest.
CREATE TABLE manifest_entries (
    manifest BIGINT NOT NULL,
    path TEXT NOT NULL,
    size_bytes BIGINT,
    md5 BLOB,
    sha256 BLOB,
    digest TEXT,
    reference TEXT,
    -- JSON; null where nothing is said.
    extra TEXT,
    PRIMARY KEY (manifest, path)
) WITHOUT ROWID;

-- Which bytes a manifest holds, each once.
CREATE TABLE manifest_blobs (
    sha256 BLOB NOT NULL,
    manifest BIGINT NOT NULL,
    PRIMARY KEY (sha256, manifest)
) WITHOUT ROWID;

-- Folders of manifests, with what is below them at any depth.
CREATE TABLE manifest_folders (
    manifest BIGINT NOT NULL,
    -- Path of the folder that it is in; empty at the top.
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    file_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (manifest, parent, name)
) WITHOUT ROWID;

-- Versions where they were logged.
CREATE TABLE artifacts (
    -- Never used again, so that a cursor cannot come to mean another one.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection BIGINT NOT NULL,
    version BIGINT NOT NULL,
    -- What the call that logged it is known by.
    logged_id BLOB NOT NULL,
    manifest BIGINT NOT NULL,
    description TEXT,
    metadata TEXT NOT NULL,
    -- A JSON list.
    tags TEXT NOT NULL,
    ttl_seconds BIGINT,
    run_id TEXT,
    step BIGINT,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    -- When it goes unless something holds it; null: never.
    expires_at DOUBLE PRECISION,
    UNIQUE (collection, version)
);
CREATE INDEX artifacts_by_manifest ON artifacts (manifest);
CREATE INDEX artifacts_expiring ON artifacts (expires_at) WHERE expires_at IS NOT NULL;

-- Numbers of collections. Those of a registry point at versions of others.
CREATE TABLE artifact_versions (
    collection BIGINT NOT NULL,
    version BIGINT NOT NULL,
    artifact BIGINT NOT NULL,
    PRIMARY KEY (collection, version)
) WITHOUT ROWID;
CREATE INDEX artifact_versions_by_artifact ON artifact_versions (artifact);

CREATE TABLE artifact_aliases (
    collection BIGINT NOT NULL,
    alias TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (collection, alias)
) WITHOUT ROWID;
CREATE INDEX artifact_aliases_by_version ON artifact_aliases (collection, version, alias);

-- Which version each call that logged one came to mean: a repeated commit makes no second one.
CREATE TABLE artifact_commits (
    project BIGINT NOT NULL,
    logged_id BLOB NOT NULL,
    -- Null when it was removed.
    artifact BIGINT,
    -- Whether the version was made by it; else the newest had this content already.
    created BOOLEAN NOT NULL,
    run_id TEXT,
    time DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project, logged_id)
) WITHOUT ROWID;
CREATE INDEX artifact_commits_by_artifact ON artifact_commits (artifact);
CREATE INDEX artifact_commits_by_run ON artifact_commits (project, run_id, artifact) WHERE run_id IS NOT NULL;

-- What journals say: versions that runs made, whether or not these were committed.
CREATE TABLE logged_artifacts (
    run BIGINT NOT NULL,
    logged_id BLOB NOT NULL,
    collection TEXT NOT NULL,
    digest BLOB NOT NULL,
    time DOUBLE PRECISION NOT NULL,
    step BIGINT,
    PRIMARY KEY (run, logged_id)
) WITHOUT ROWID;
CREATE INDEX logged_artifacts_by_id ON logged_artifacts (logged_id);

-- What journals say: versions that runs used, by the names that these had there.
CREATE TABLE artifact_uses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BIGINT NOT NULL,
    entity TEXT NOT NULL,
    project TEXT NOT NULL,
    collection TEXT NOT NULL,
    version BIGINT NOT NULL,
    digest BLOB NOT NULL,
    -- The call that logged it; empty where the run does not know.
    logged_id BLOB NOT NULL,
    -- Null as long as it is not here.
    artifact BIGINT,
    UNIQUE (run, entity, project, collection, version, digest, logged_id)
);
CREATE INDEX artifact_uses_by_artifact ON artifact_uses (artifact, run);
CREATE INDEX artifact_uses_waiting ON artifact_uses (digest) WHERE artifact IS NULL;
CREATE INDEX artifact_uses_by_id ON artifact_uses (logged_id) WHERE logged_id <> x'';
