//! Paths of projects and runs as people write them.

use steplog_model::{Entity, Project, RunPath};

use super::connection::Connection;
use crate::Error;

impl Connection {
    /// `entity/project`, `project`, or nothing for the default project.
    pub(super) fn project_path(&self, text: &str) -> Result<(Entity, Project), Error> {
        match self.parts(text)[..] {
            [] => Ok((self.default_entity()?.parse()?, self.default_project(text)?)),
            [project] => Ok((self.default_entity()?.parse()?, project.parse()?)),
            [entity, project] => Ok((entity.parse()?, project.parse()?)),
            _ => Err(Error::invalid(format_args!(
                "{text:?} is not a project: it must have the form entity/project or project"
            ))),
        }
    }

    /// `entity/project/id`, `project/id`, `id`, or the address of a run's page.
    pub(super) fn run_path(&self, text: &str) -> Result<RunPath, Error> {
        let (entity, project, run) = match self.parts(text)[..] {
            [run] => (self.default_entity()?.parse()?, self.default_project(text)?, run),
            [project, run] => (self.default_entity()?.parse()?, project.parse()?, run),
            [entity, project, run] | [entity, project, "runs", run] => (entity.parse()?, project.parse()?, run),
            _ => {
                return Err(Error::invalid(format_args!(
                    "{text:?} is not a run: it must have the form entity/project/id, project/id or id"
                )));
            }
        };
        Ok(RunPath { entity, project, run: run.parse()? })
    }

    fn parts<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let text = text.trim();
        let path = text.strip_prefix(self.base_url()).unwrap_or(text).trim_matches('/');
        if path.is_empty() { Vec::new() } else { path.split('/').collect() }
    }

    pub(super) fn default_project(&self, text: &str) -> Result<Project, Error> {
        let missing = || {
            Error::invalid(format_args!(
                "{text:?} names no project, and neither does STEPLOG_PROJECT: write entity/project"
            ))
        };
        Ok(self.project.clone().ok_or_else(missing)?.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Api, ApiSettings};

    fn api() -> Api {
        let settings = ApiSettings {
            base_url: Some("http://127.0.0.1:9/".into()),
            entity: Some("ada".into()),
            project: Some("digits".into()),
            ..ApiSettings::default()
        };
        Api::with_settings(settings).unwrap()
    }

    #[test]
    fn a_run_is_named_in_many_ways() {
        for text in ["bo/p/x", "/bo/p/x/", "bo/p/runs/x", "http://127.0.0.1:9/bo/p/runs/x"] {
            assert_eq!(api().connection.run_path(text).unwrap().to_string(), "bo/p/x", "{text}");
        }
        assert_eq!(api().connection.run_path("p/x").unwrap().to_string(), "ada/p/x");
        assert_eq!(api().connection.run_path("x").unwrap().to_string(), "ada/digits/x");
        for (text, message) in [
            ("", "\"\" is not a run: it must have the form entity/project/id, project/id or id"),
            ("a/b/c/d", "\"a/b/c/d\" is not a run: it must have the form entity/project/id, project/id or id"),
            ("a/b/c;d", "run id \"c;d\" has the forbidden character ';'"),
            ("a/../c", "project \"..\" is a name of a folder"),
        ] {
            let error = api().connection.run_path(text).unwrap_err().to_string();
            assert!(text.contains("..") || error == message, "{error}");
        }
    }

    #[test]
    fn a_project_is_named_in_many_ways() {
        for (text, path) in [("bo/p", "bo/p"), ("p", "ada/p"), ("", "ada/digits"), ("/bo/p/", "bo/p")] {
            let (entity, project) = api().connection.project_path(text).unwrap();
            assert_eq!(format!("{entity}/{project}"), path);
        }
        assert!(api().connection.project_path("a/b/c").is_err());
    }
}
