//! Where what no argument says comes from: the environment, then the workspace's settings file, then the user's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Never taken from a workspace: whoever hands somebody a folder must not choose where their runs go.
const USER_ONLY: [&str; 2] = ["base_url", "api_key"];

/// The settings files; lines of `name = value`, names as in the environment but small and without prefix, `#` begins a
/// comment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    workspace: BTreeMap<String, String>,
    user: BTreeMap<String, String>,
}

impl Sources {
    /// Reads `settings` in `home`, the folder of all runs, and in the user's configuration. A file that cannot be read
    /// says nothing.
    pub(crate) fn load(home: &Path) -> Self {
        let mut workspace = read(&home.join("settings"));
        workspace.retain(|name, _| !USER_ONLY.contains(&&**name));
        Self { workspace, user: read(&config_folder().join("settings")) }
    }

    /// Without any workspace: for what concerns all that a user does.
    pub(crate) fn user() -> Self {
        Self { workspace: BTreeMap::new(), user: read(&config_folder().join("settings")) }
    }

    /// A value by its name in the environment, such as `PROJECT`.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let in_file = name.to_lowercase();
        environment(name).or_else(|| self.workspace.get(&in_file).or_else(|| self.user.get(&in_file)).cloned())
    }

    /// Whether a value means no.
    pub(crate) fn is_off(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(&*value.to_lowercase(), "0" | "false" | "no" | "off"))
    }

    /// Whether a value means yes.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(&*value.to_lowercase(), "1" | "true" | "yes" | "on"))
    }
}

fn read(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let entry = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.starts_with(['#', ';']) && !value.is_empty()).then(|| (name.to_lowercase(), value.to_owned()))
    };
    text.lines().filter_map(entry).collect()
}

/// A variable as `STEPLOG_name`, else as `WANDB_name`, so that job scripts need no change. Empty counts as unset. The other
/// product's own servers are not ours, and a key that was not given together with a server is for those.
pub(crate) fn environment(name: &str) -> Option<String> {
    let variable = |name: String| std::env::var(name).ok().filter(|value| !value.is_empty());
    let base_url = || variable("WANDB_BASE_URL".into()).filter(|url| !url.contains("wandb.ai"));
    variable(format!("STEPLOG_{name}")).or_else(|| match name {
        "BASE_URL" => base_url(),
        "API_KEY" => variable("WANDB_API_KEY".into()).filter(|_| base_url().is_some()),
        _ => variable(format!("WANDB_{name}")),
    })
}

/// `$XDG_CONFIG_HOME/steplog`, or below `~/.config`.
pub(crate) fn config_folder() -> PathBuf {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    config.or_else(|| home().map(|home| home.join(".config"))).unwrap_or_default().join("steplog")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_does_not_choose_the_server() {
        let home = tempfile::tempdir().unwrap();
        let text = "[default]\n# project = old\nproject = digits\nBASE_URL = http://elsewhere\nentity =\n";
        std::fs::write(home.path().join("settings"), text).unwrap();
        let sources = Sources::load(home.path());
        let expected = BTreeMap::from([("project".to_owned(), "digits".to_owned())]);
        assert_eq!(sources.workspace, expected);
    }
}
