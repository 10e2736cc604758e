//! The list of projects.

use steplog_protocol::{Project, ProjectList};

use crate::database::Sql as _;
use crate::{Error, Store};

impl Store {
    /// All projects that have runs, the one with the newest activity first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn projects(&self) -> Result<ProjectList, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql(
            "SELECT p.entity, p.name, count(*), count(CASE WHEN r.alive_at >= $1 THEN 1 END), min(r.created_at),
                 max(r.updated_at) AS newest
             FROM projects p JOIN runs r ON r.project = p.id GROUP BY p.id ORDER BY newest DESC, p.entity, p.name",
        )?;
        let since = self.shared.alive_since(self.shared.options.clock.now());
        let projects = statement.query_map([since], |row| {
            Ok(Project {
                entity: row.get(0)?,
                name: row.get(1)?,
                run_count: row.get::<_, i64>(2)? as u64,
                running_count: row.get::<_, i64>(3)? as u64,
                created_at: row.get(4)?,
                updated_at: row.get(5)?,
            })
        })?;
        Ok(ProjectList { projects: projects.collect::<Result<_, _>>()? })
    }
}
