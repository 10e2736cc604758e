//! What led to a version, and what came of it.
//!
//! Backwards: the runs that logged it, the versions these used, and so on. Forwards: the runs that used it, the versions
//! these logged. One step is taken for all of a generation at once.

use std::collections::{HashMap, VecDeque};

use rusqlite::{Connection, Row};
use serde_json::Value as Json;
use steplog_model::{ArtifactPath, Entity, ManifestDigest, Version};
use steplog_protocol::{ArtifactPlace, Lineage, LineageArtifact, LineageEdge, LineageRelation, LineageRun};

use super::uses::is_visible;
use super::{alias, find, page_limit};
use crate::database::Sql as _;
use crate::state::{STATE_SQL, state_from_text};
use crate::{Error, Store};

/// So many steps are taken, each from versions to runs or from runs to versions.
const DEFAULT_DEPTH: u32 = 6;
const MAX_DEPTH: u32 = 100;

/// So many versions and runs are shown.
const DEFAULT_LIMIT: u32 = 200;
const MAX_LIMIT: u32 = 5000;

/// A run as commits name it: it may not be here.
type RunKey = (i64, String);

/// A generation: all versions, or all runs.
enum Generation {
    Artifacts(Vec<i64>),
    Runs(Vec<RunKey>),
}

#[derive(Clone, Copy)]
enum Direction {
    Backwards,
    Forwards,
}

impl Store {
    /// The lineage of a version: at most `limit` versions and runs (200 where absent, at most 5,000), at most `depth` steps
    /// away (6 where absent, at most 100), where a step leads from versions to runs or from runs to versions. What belongs to
    /// entities that `may_see` refuses is left out, with everything behind it.
    ///
    /// # Errors
    /// There is no such version, or the depth or limit is out of range.
    pub fn lineage(
        &self,
        path: &ArtifactPath,
        depth: Option<u32>,
        limit: Option<u32>,
        may_see: &dyn Fn(&Entity) -> bool,
    ) -> Result<Lineage, Error> {
        let depth = depth.unwrap_or(DEFAULT_DEPTH);
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!("depth must be 0 to {MAX_DEPTH}, not {depth}")));
        }
        let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let found = find::version(&reader, path)?;
        let mut graph = Graph {
            database: &reader,
            may_see,
            limit,
            alive_since: self.shared.alive_since(self.shared.options.clock.now()),
            artifacts: HashMap::new(),
            runs: HashMap::new(),
            lineage: Lineage { artifacts: Vec::new(), runs: Vec::new(), edges: Vec::new(), truncated: false },
        };
        graph.add_artifacts(vec![found.artifact])?;
        graph.walk(found.artifact, depth)?;
        graph.add_edges()?;
        Ok(graph.lineage)
    }
}

/// What was found so far.
struct Graph<'a> {
    database: &'a Connection,
    may_see: &'a dyn Fn(&Entity) -> bool,
    limit: usize,
    alive_since: f64,
    /// Where each stands in the answer.
    artifacts: HashMap<i64, u32>,
    runs: HashMap<RunKey, u32>,
    lineage: Lineage,
}

impl Graph<'_> {
    /// Goes both ways by turns, so that a limit leaves as much of the one as of the other.
    fn walk(&mut self, start: i64, depth: u32) -> Result<(), Error> {
        let start = |direction| (direction, Generation::Artifacts(vec![start]), 0);
        let mut queue = VecDeque::from([start(Direction::Backwards), start(Direction::Forwards)]);
        while let Some((direction, generation, steps)) = queue.pop_front() {
            let next = self.step(direction, &generation)?;
            if next.is_empty() {
                continue;
            }
            if steps == depth {
                self.lineage.truncated = true;
                continue;
            }
            let new = self.add(next)?;
            if !new.is_empty() {
                queue.push_back((direction, new, steps + 1));
            }
        }
        Ok(())
    }

    /// What a generation leads to and is not known yet.
    fn step(&self, direction: Direction, generation: &Generation) -> Result<Generation, Error> {
        Ok(match generation {
            Generation::Artifacts(artifacts) => {
                let sql = match direction {
                    Direction::Backwards => LOGGED_BY,
                    Direction::Forwards => USED_BY,
                };
                let mut statement = self.database.sql(sql)?;
                let runs = statement.query_map([Json::from(&artifacts[..]).to_string()], read_key)?;
                let is_new = |key: &RunKey| !self.runs.contains_key(key);
                Generation::Runs(runs.filter(|key| key.as_ref().map_or(true, is_new)).collect::<Result<_, _>>()?)
            }
            Generation::Runs(runs) => {
                let sql = match direction {
                    Direction::Backwards => USES_OF,
                    Direction::Forwards => LOGS_OF,
                };
                let mut statement = self.database.sql(sql)?;
                let artifacts = statement.query_map([keys_json(runs)], |row| row.get(0))?;
                let is_new = |id: &i64| !self.artifacts.contains_key(id);
                Generation::Artifacts(
                    artifacts.filter(|id| id.as_ref().map_or(true, is_new)).collect::<Result<_, _>>()?,
                )
            }
        })
    }

    /// Adds what may be seen, as far as there is room; answers what was added.
    fn add(&mut self, generation: Generation) -> Result<Generation, Error> {
        match generation {
            Generation::Artifacts(artifacts) => self.add_artifacts(artifacts).map(Generation::Artifacts),
            Generation::Runs(runs) => self.add_runs(runs).map(Generation::Runs),
        }
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.lineage.artifacts.len() + self.lineage.runs.len() < self.limit;
        self.lineage.truncated |= !has_room;
        has_room
    }

    fn add_artifacts(&mut self, artifacts: Vec<i64>) -> Result<Vec<i64>, Error> {
        let database = self.database;
        let mut statement = database.sql(ARTIFACTS)?;
        let mut rows = statement.query([Json::from(artifacts).to_string()])?;
        let mut added = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, artifact) = (row.get(0)?, read_artifact(database, row)?);
            if !is_visible(&artifact.place.entity, self.may_see) {
                continue;
            }
            if !self.has_room() {
                break;
            }
            self.artifacts.insert(id, self.lineage.artifacts.len() as u32);
            self.lineage.artifacts.push(artifact);
            added.push(id);
        }
        Ok(added)
    }

    fn add_runs(&mut self, keys: Vec<RunKey>) -> Result<Vec<RunKey>, Error> {
        let sql = format!(
            "SELECT j.value ->> 0, j.value ->> 1, p.entity, p.name, r.name, r.job_type, r.created_at, {STATE_SQL}
             FROM json_each($2) j JOIN projects p ON p.id = j.value ->> 0
             LEFT JOIN runs r ON r.project = p.id AND r.run_id = j.value ->> 1 ORDER BY j.key"
        );
        let database = self.database;
        let mut statement = database.sql(&sql)?;
        let mut rows = statement.query((self.alive_since, keys_json(&keys)))?;
        let mut added = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, run) = (read_key(row)?, read_run(row)?);
            if !is_visible(&run.entity, self.may_see) {
                continue;
            }
            if !self.has_room() {
                break;
            }
            self.runs.insert(key.clone(), self.lineage.runs.len() as u32);
            self.lineage.runs.push(run);
            added.push(key);
        }
        Ok(added)
    }

    /// Adds who made and who used what, of all that was found: a run that used what it logged has both.
    fn add_edges(&mut self) -> Result<(), Error> {
        let artifacts = Json::from(self.artifacts.keys().copied().collect::<Vec<_>>()).to_string();
        for (sql, relation) in [(LOGGED_EDGES, LineageRelation::Logged), (USED_EDGES, LineageRelation::Used)] {
            let mut statement = self.database.sql(sql)?;
            let mut rows = statement.query([&artifacts])?;
            while let Some(row) = rows.next()? {
                let artifact = self.artifacts.get(&row.get(2)?).copied();
                if let Some((run, artifact)) = self.runs.get(&read_key(row)?).copied().zip(artifact) {
                    self.lineage.edges.push(LineageEdge { run, artifact, relation });
                }
            }
        }
        let is_logged = |edge: &LineageEdge| edge.relation == LineageRelation::Logged;
        self.lineage.edges.sort_by_key(|edge| (edge.artifact, edge.run, !is_logged(edge)));
        Ok(())
    }
}

impl Generation {
    fn is_empty(&self) -> bool {
        match self {
            Self::Artifacts(artifacts) => artifacts.is_empty(),
            Self::Runs(runs) => runs.is_empty(),
        }
    }
}

// `$1` is a JSON list of artifacts, or of runs by project and id. The join begins with the list.
const LOGGED_BY: &str = "SELECT DISTINCT k.project, k.run_id FROM json_each($1) j
    CROSS JOIN artifact_commits k ON k.artifact = j.value WHERE k.run_id IS NOT NULL ORDER BY k.time DESC";
const USED_BY: &str = "SELECT DISTINCT r.project, r.run_id FROM json_each($1) j
    CROSS JOIN artifact_uses u ON u.artifact = j.value JOIN runs r ON r.id = u.run ORDER BY u.id DESC";
const USES_OF: &str = "SELECT DISTINCT u.artifact FROM json_each($1) j
    CROSS JOIN runs r ON r.project = j.value ->> 0 AND r.run_id = j.value ->> 1
    JOIN artifact_uses u ON u.run = r.id WHERE u.artifact IS NOT NULL ORDER BY u.artifact DESC";
const LOGS_OF: &str = "SELECT DISTINCT k.artifact FROM json_each($1) j
    CROSS JOIN artifact_commits k ON k.project = j.value ->> 0 AND k.run_id = j.value ->> 1
    WHERE k.artifact IS NOT NULL ORDER BY k.artifact DESC";
const LOGGED_EDGES: &str = "SELECT DISTINCT k.project, k.run_id, k.artifact FROM json_each($1) j
    CROSS JOIN artifact_commits k ON k.artifact = j.value WHERE k.run_id IS NOT NULL";
const USED_EDGES: &str = "SELECT DISTINCT r.project, r.run_id, u.artifact FROM json_each($1) j
    CROSS JOIN artifact_uses u ON u.artifact = j.value JOIN runs r ON r.id = u.run";
const ARTIFACTS: &str =
    "SELECT a.id, p.entity, p.name, c.name, a.version, c.type, m.digest, m.file_count, m.size_bytes,
    a.created_at, c.id FROM json_each($1) j CROSS JOIN artifacts a ON a.id = j.value
    JOIN artifact_collections c ON c.id = a.collection JOIN projects p ON p.id = c.project
    JOIN manifests m ON m.id = a.manifest ORDER BY j.key";

fn read_key(row: &Row<'_>) -> rusqlite::Result<RunKey> {
    Ok((row.get(0)?, row.get(1)?))
}

fn keys_json(keys: &[RunKey]) -> String {
    Json::from_iter(keys.iter().map(|(project, run)| Json::from_iter([Json::from(*project), Json::from(&**run)])))
        .to_string()
}

fn read_artifact(database: &Connection, row: &Row<'_>) -> Result<LineageArtifact, Error> {
    let version: u32 = row.get(4)?;
    Ok(LineageArtifact {
        place: ArtifactPlace {
            entity: row.get(1)?,
            project: row.get(2)?,
            collection: row.get(3)?,
            version: Version::new(version).to_string(),
        },
        r#type: row.get(5)?,
        aliases: alias::of_version(database, row.get(10)?, i64::from(version))?,
        digest: ManifestDigest::from_bytes(row.get(6)?).to_string(),
        file_count: row.get::<_, i64>(7)? as u64,
        size_bytes: row.get::<_, i64>(8)? as u64,
        created_at: row.get(9)?,
    })
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<LineageRun> {
    let name: Option<String> = row.get(4)?;
    let state = state_from_text(row.get_ref(7)?.as_str().unwrap_or_default());
    Ok(LineageRun {
        entity: row.get(2)?,
        project: row.get(3)?,
        run_id: row.get(1)?,
        state: name.is_some().then_some(state),
        job_type: row.get(5)?,
        created_at: row.get(6)?,
        name,
    })
}
