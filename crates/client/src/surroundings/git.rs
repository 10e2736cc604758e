//! The commit that was run, and what was changed since.
//!
//! `git` itself is asked, by a repository that may be anybody's: none of the programs that its configuration can name is
//! started (hooks, monitors, filters, helpers of diffs), nothing is fetched, nothing is locked or written, and no command
//! takes longer, or answers more, than it may.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::Variables;
use crate::redact::Redactor;

/// A command of git takes at most so long.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How often it is looked whether the run has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Longest answer of git, but for a patch.
const MOST_BYTES: usize = 4 << 20;

/// Of a longer patch the beginning is kept.
const MOST_PATCH_BYTES: usize = 4 << 20;

/// Longest first line of a message, in characters.
const LONGEST_MESSAGE: usize = 500;

/// What would make git look at another repository than the one around a folder, or start a program.
const VARIABLES_LEFT_OUT: [&str; 14] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ASKPASS",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_TRACE",
    "GIT_WORK_TREE",
    "SSH_ASKPASS",
];

const VARIABLES: [(&str, &str); 5] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_PAGER", "cat"),
    ("LC_ALL", "C"),
];

/// Stronger than any configuration of the repository.
const SETTINGS: [&str; 8] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "credential.helper=",
    "log.showSignature=false",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
];

/// What git says of a folder.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// `{commit, branch, remote, root, dirty, message}`, as far as there are such.
    pub(crate) members: Map<String, Json>,
    /// What `git diff HEAD` says, if anything was changed and it was asked for.
    pub(crate) patch: Option<String>,
}

/// Who looks.
pub(crate) struct Look<'a> {
    pub(crate) variables: &'a Variables,
    pub(crate) redactor: &'a Redactor,
    /// The run has ended: stop.
    pub(crate) is_stopped: &'a AtomicBool,
}

/// The answer of a command.
struct Answer {
    text: String,
    /// There was more.
    is_cut: bool,
}

impl Look<'_> {
    /// `None` when the folder is in no repository, or git is not there or will not look at it.
    pub(crate) fn at(&self, folder: &Path, with_patch: bool) -> Option<Found> {
        let git = Git { program: self.program()?, look: self, folder: folder.to_owned(), filters: Vec::new() };
        let root = PathBuf::from(git.run(&["rev-parse", "--show-toplevel"], MOST_BYTES)?.text.trim_end_matches('\n'));
        // A repository's configuration can claim files that are elsewhere.
        if !folder.canonicalize().ok()?.starts_with(root.canonicalize().ok()?) {
            return None;
        }
        let configured = "^(remote\\..*\\.url|branch\\..*\\.remote|filter\\..*\\.(clean|smudge|process|required))$";
        let config = git.run(&["config", "-z", "--get-regexp", configured], MOST_BYTES);
        let config = config.map(|config| entries(&config.text)).unwrap_or_default();
        let git = Git { filters: without_filters(&config)?, ..git };
        let status = ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty"];
        let status = git.run(&status, MOST_BYTES)?.text;
        let header = |name: &str| status.lines().find_map(|line| line.strip_prefix("# branch.")?.strip_prefix(name));
        let commit = header("oid ").filter(|commit| *commit != "(initial)");
        let branch = header("head ").filter(|branch| *branch != "(detached)");
        let is_dirty = status.lines().any(|line| !line.starts_with('#'));
        let message = commit.and_then(|commit| git.run(&["cat-file", "commit", commit], MOST_BYTES));
        let message = message.and_then(|message| Some(first_line(message.text.split_once("\n\n")?.1)));
        let redacted = |text: &str| self.redactor.text(text);
        let members = [
            ("commit", commit.map(Json::from)),
            ("branch", branch.map(|branch| json!(redacted(branch)))),
            ("remote", remote(&config, branch).map(|url| json!(self.redactor.remote(url)))),
            ("root", Some(json!(redacted(&root.display().to_string())))),
            ("dirty", Some(json!(is_dirty))),
            ("message", message.map(|message| json!(redacted(&message)))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let patch = commit.filter(|_| is_dirty && with_patch).and_then(|commit| self.patch(&git, commit));
        Some(Found { members, patch })
    }

    /// Changes since the commit, staged or not, of files that git knows.
    fn patch(&self, git: &Git<'_>, commit: &str) -> Option<String> {
        let diff = [
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--ignore-submodules=dirty",
            "--submodule=short",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            commit,
            "--",
        ];
        let Answer { mut text, is_cut } = git.run(&diff, MOST_PATCH_BYTES)?;
        let note = if is_cut {
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
            format!(", cut after {} bytes", text.len())
        } else {
            String::new()
        };
        Some(format!("# git diff {commit}{note}\n{}", self.redactor.text(&text)))
    }

    /// Where git is. Only absolute folders are looked into: what lies in the working directory may be anything.
    fn program(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "git.exe" } else { "git" };
        let folders = std::env::split_paths(self.variables.get("PATH")?).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(name)).find(|program| program.is_file())
    }
}

struct Git<'a> {
    program: PathBuf,
    look: &'a Look<'a>,
    folder: PathBuf,
    /// Settings that make filters of the repository do nothing.
    filters: Vec<String>,
}

impl Git<'_> {
    /// The first `most` bytes that a command prints; `None` when it fails, takes too long or the run has ended.
    fn run(&self, arguments: &[&str], most: usize) -> Option<Answer> {
        if self.look.is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let settings = SETTINGS.iter().copied().chain(self.filters.iter().map(String::as_str));
        let variables = self.look.variables.0.iter();
        // The environment is given whole, so that the one of the process is not read while a script changes it.
        let mut command = Command::new(&self.program);
        command
            .arg("--no-pager")
            .arg("--literal-pathspecs")
            .arg("-C")
            .arg(&self.folder)
            .args(settings.flat_map(|setting| ["-c", setting]))
            .args(arguments)
            .env_clear()
            .envs(variables.filter(|(name, _)| !VARIABLES_LEFT_OUT.iter().any(|other| name == other)).cloned())
            .envs(VARIABLES)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl-C is for the script.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().ok()?;
        let answer = self.read(&mut child, most);
        if answer.as_ref().is_none_or(|answer| answer.is_cut) {
            // It may have ended by itself.
            let _ = child.kill();
        }
        let succeeded = child.wait().is_ok_and(|status| status.success());
        answer.filter(|answer| answer.is_cut || succeeded)
    }

    /// What a child prints, until it closes its output.
    fn read(&self, child: &mut Child, most: usize) -> Option<Answer> {
        let output = child.stdout.take()?;
        let (sender, receiver) = mpsc::sync_channel(1);
        let reading = move || {
            let mut bytes = Vec::new();
            let read = output.take(most as u64 + 1).read_to_end(&mut bytes);
            // Nobody waits any more when the child was given up.
            let _ = sender.send(read.map(|_| bytes));
        };
        std::thread::Builder::new().name("steplog-git".into()).spawn(reading).ok()?;
        let deadline = Instant::now() + TIMEOUT;
        loop {
            match receiver.recv_timeout(LOOK_INTERVAL) {
                Ok(bytes) => {
                    let bytes = bytes.ok()?;
                    let is_cut = bytes.len() > most;
                    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).into_owned();
                    return Some(Answer { text, is_cut });
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if Instant::now() >= deadline || self.look.is_stopped.load(Ordering::Relaxed) {
                        return None;
                    }
                }
            }
        }
    }
}

/// Names and values of a configuration, as `git config -z` lists them.
fn entries(text: &str) -> Vec<(String, String)> {
    let entry = |entry: &str| {
        let (name, value) = entry.split_once('\n').unwrap_or((entry, ""));
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    text.split('\0').filter_map(entry).collect()
}

/// Settings under which no program of the repository changes what is compared; `None` when a name has a `=`, with which it
/// cannot be set on the command line, and which nobody needs but to get around this.
fn without_filters(config: &[(String, String)]) -> Option<Vec<String>> {
    let filters = config.iter().map(|(name, _)| name).filter(|name| name.starts_with("filter."));
    let off = |name: &String| {
        let value = if name.ends_with(".required") { "false" } else { "" };
        (!name.contains('=')).then(|| format!("{name}={value}"))
    };
    filters.map(off).collect()
}

/// The address of the repository that the branch comes from, else of `origin`, else of the first.
fn remote<'a>(config: &'a [(String, String)], branch: Option<&str>) -> Option<&'a str> {
    let get = |wanted: &str| config.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let url = |remote: &str| get(&format!("remote.{remote}.url"));
    let of_branch = branch.and_then(|branch| get(&format!("branch.{branch}.remote"))).and_then(url);
    let first = || config.iter().find(|(name, _)| name.starts_with("remote.")).map(|(_, value)| value.as_str());
    of_branch.or_else(|| url("origin")).or_else(first)
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a repository, and a way to call git in it.
    struct Repository {
        folder: tempfile::TempDir,
    }

    impl Repository {
        fn new() -> Self {
            let repository = Self { folder: tempfile::tempdir().unwrap() };
            repository.git(&["init", "-q", "-b", "main"]);
            repository
        }

        fn path(&self) -> PathBuf {
            self.folder.path().canonicalize().unwrap()
        }

        fn git(&self, arguments: &[&str]) {
            let identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"];
            let mut command = Command::new("git");
            command.arg("-C").arg(self.folder.path()).args(identity).args(arguments);
            for name in VARIABLES_LEFT_OUT {
                command.env_remove(name);
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.folder.path().join(name), text).unwrap();
        }

        fn commit(&self, message: &str) -> String {
            self.git(&["add", "-A"]);
            self.git(&["commit", "-q", "-m", message]);
            self.head()
        }

        fn head(&self) -> String {
            let head = Command::new("git").arg("-C").arg(self.folder.path()).args(["rev-parse", "HEAD"]).output();
            String::from_utf8(head.unwrap().stdout).unwrap().trim().to_owned()
        }

        fn look(&self, redactor: &Redactor) -> Option<Found> {
            look(self.folder.path(), redactor)
        }
    }

    fn look(folder: &Path, redactor: &Redactor) -> Option<Found> {
        let mut variables = Variables::of_process();
        // Of whoever runs the tests.
        variables.0.push(("GIT_DIR".into(), "/nowhere".into()));
        Look { variables: &variables, redactor, is_stopped: &AtomicBool::new(false) }.at(folder, true)
    }

    #[test]
    fn a_clean_commit_is_told() {
        let repository = Repository::new();
        repository.write("a", "1\n");
        let commit = repository.commit("First line\n\nthe rest");
        repository.git(&["remote", "add", "other", "https://host/other.git"]);
        repository.git(&["remote", "add", "origin", "https://me:pw@host/x.git"]);
        repository.write("new", "not known to git\n");
        std::fs::create_dir(repository.path().join("deep")).unwrap();
        let found = look(&repository.path().join("deep"), &Redactor::default()).unwrap();
        let expected = json!({
            "commit": commit,
            "branch": "main",
            "remote": "https://host/x.git",
            "root": repository.path().display().to_string(),
            "dirty": false,
            "message": "First line",
        });
        assert_eq!(found, Found { members: expected.as_object().unwrap().clone(), patch: None });
    }

    #[test]
    fn changes_staged_or_not_are_a_patch_without_secrets() {
        let repository = Repository::new();
        repository.write("a", "1\n");
        repository.write("b", "1\n");
        let commit = repository.commit("about my hidden word");
        repository.write("a", "2 TOKEN='abcdefgh'\n");
        repository.git(&["add", "a"]);
        repository.write("b", "my hidden word\n");
        repository.write("new", "not known to git\n");
        let redactor = Redactor::default().with(["my hidden word".to_owned()]);
        let found = repository.look(&redactor).unwrap();
        assert_eq!(found.members["dirty"], json!(true));
        assert_eq!(found.members["message"], json!("about [redacted]"));
        let patch = found.patch.unwrap();
        let lines: Vec<_> = patch.lines().filter(|line| !line.starts_with("index ")).collect();
        let expected = [
            format!("# git diff {commit}").as_str(),
            "diff --git a/a b/a",
            "--- a/a",
            "+++ b/a",
            "@@ -1 +1 @@",
            "-1",
            "+2 TOKEN='[redacted]'",
            "diff --git a/b b/b",
            "--- a/b",
            "+++ b/b",
            "@@ -1 +1 @@",
            "-1",
            "+[redacted]",
        ]
        .map(str::to_owned);
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_large_patch_is_cut_at_a_line() {
        let repository = Repository::new();
        repository.write("a", "");
        repository.commit("x");
        repository.write("a", &"0123456789abcde\n".repeat(MOST_PATCH_BYTES / 16));
        let patch = repository.look(&Redactor::default()).unwrap().patch.unwrap();
        let (first, rest) = patch.split_once('\n').unwrap();
        assert!(first.ends_with(&format!(", cut after {} bytes", rest.len())), "{first}");
        assert!(rest.len() <= MOST_PATCH_BYTES && rest.ends_with("+0123456789abcde\n"));
    }

    #[test]
    fn a_folder_without_commits_or_repository() {
        let repository = Repository::new();
        repository.write("a", "1\n");
        repository.git(&["add", "a"]);
        let found = repository.look(&Redactor::default()).unwrap();
        let expected = json!({"branch": "main", "root": repository.path().display().to_string(), "dirty": true});
        assert_eq!(found, Found { members: expected.as_object().unwrap().clone(), patch: None });
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look(folder.path(), &Redactor::default()), None);
        assert_eq!(look(&folder.path().join("gone"), &Redactor::default()), None);
    }

    #[cfg(unix)]
    #[test]
    fn no_program_of_a_hostile_repository_is_started() {
        use std::os::unix::fs::PermissionsExt as _;
        let repository = Repository::new();
        let (trap, sprung) = (repository.path().join("trap"), repository.path().join("sprung"));
        let script = format!("#!/bin/sh\necho \"$0 $@\" >> {}\ncat\n", sprung.display());
        std::fs::write(&trap, script).unwrap();
        std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
        repository.write(".gitattributes", "*.x filter=evil diff=evil\n*.y filter=evil.too\n");
        repository.write("a.x", "1\n");
        repository.write("a.y", "1\n");
        repository.commit("x");
        let trap = trap.display().to_string();
        for name in [
            "core.fsmonitor",
            "core.pager",
            "core.sshCommand",
            "diff.external",
            "diff.evil.command",
            "diff.evil.textconv",
            "filter.evil.clean",
            "filter.evil.process",
            "filter.evil.smudge",
            "filter.evil.too.clean",
            "gpg.program",
        ] {
            repository.git(&["config", name, &trap]);
        }
        for name in ["filter.evil.required", "filter.evil.too.required", "log.showSignature"] {
            repository.git(&["config", name, "true"]);
        }
        let hooks = repository.path().join(".git/hooks");
        for hook in ["post-index-change", "reference-transaction", "pre-commit"] {
            std::fs::copy(&trap, hooks.join(hook)).unwrap();
        }
        let _ = std::fs::remove_file(&sprung);
        repository.write("a.x", "2\n");
        repository.write("a.y", "2\n");
        let found = repository.look(&Redactor::default()).unwrap();
        assert_eq!(std::fs::read_to_string(&sprung).ok(), None, "no trap was sprung");
        let changes: Vec<_> =
            found.patch.as_deref().unwrap().lines().filter(|line| line.starts_with(['+', '-'])).collect();
        assert_eq!(changes, ["--- a/a.x", "+++ b/a.x", "-1", "+2", "--- a/a.y", "+++ b/a.y", "-1", "+2"]);
    }

    #[test]
    fn a_repository_that_claims_files_elsewhere_is_not_looked_at() {
        let (repository, elsewhere) = (Repository::new(), tempfile::tempdir().unwrap());
        repository.write("a", "1\n");
        repository.commit("x");
        std::fs::write(elsewhere.path().join("a"), "private\n").unwrap();
        repository.git(&["config", "core.worktree", &elsewhere.path().display().to_string()]);
        assert_eq!(repository.look(&Redactor::default()), None);
    }

    #[test]
    fn a_run_that_has_ended_is_not_looked_at_any_more() {
        let repository = Repository::new();
        let variables = Variables::of_process();
        let look = Look { variables: &variables, redactor: &Redactor::default(), is_stopped: &AtomicBool::new(true) };
        assert_eq!(look.at(repository.folder.path(), true), None);
    }

    #[test]
    fn a_program_in_the_working_directory_is_not_git() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["git", "git.exe"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let program = |path: &str| {
            let variables = Variables(vec![("PATH".into(), path.into())]);
            let redactor = Redactor::default();
            Look { variables: &variables, redactor: &redactor, is_stopped: &AtomicBool::new(false) }.program()
        };
        assert_eq!(program("."), None);
        let found = program(&folder.path().display().to_string()).unwrap();
        assert_eq!(found.parent(), Some(folder.path()));
    }

    #[test]
    fn filters_are_turned_off_by_name() {
        let config = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect::<Vec<_>>();
        let off = without_filters(&config(&["filter.a.b.clean", "remote.origin.url", "filter.a.b.required"]));
        assert_eq!(off, Some(vec!["filter.a.b.clean=".to_owned(), "filter.a.b.required=false".to_owned()]));
        assert_eq!(without_filters(&config(&["filter.a.clean", "filter.a=b.clean"])), None);
    }

    #[test]
    fn the_remote_of_the_branch_comes_first() {
        let config = |text: &str| entries(&text.replace(' ', "\n").replace(';', "\0"));
        let both = config("remote.fork.url f;remote.origin.url o;branch.a/b.remote fork;");
        assert_eq!(remote(&both, Some("a/b")), Some("f"));
        assert_eq!(remote(&both, Some("main")), Some("o"));
        assert_eq!(remote(&config("remote.fork.url f"), None), Some("f"));
        assert_eq!(remote(&config("branch.x.remote fork"), Some("x")), None);
    }
}
