//! The run as Python calls it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyString};
use pyo3::{PyTypeInfo, ffi};
use steplog::{
    Aggregate, AlertLevel, ConsoleMode, KeyId, MetricDefinition, Mode, Resume, Run, RunBuilder, RunFolder, Settings,
    Value, Verbosity, join_key, parse_fork_point, send_patiently,
};

use crate::artifact::NativeArtifact;
use crate::error::{invalid, to_exception};
use crate::keys::KeyObjects;
use crate::save;
use crate::to_python::{nest, to_python};
use crate::to_value::{Place, as_dict, flatten, to_value};

/// A live run. `steplog.Run` adds what does not have to be fast.
#[pyclass(frozen, subclass, weakref, module = "steplog._native")]
pub(crate) struct NativeRun {
    run: Run,
    /// Buffers of `log`. Held only while no Python code can run.
    scratch: Mutex<Scratch>,
}

#[derive(Default)]
struct Scratch {
    keys: KeyObjects,
    entries: Vec<(KeyId, Value)>,
}

/// A key and value whose conversion may run Python code.
type Other = (Py<PyAny>, Py<PyAny>);

#[pymethods]
impl NativeRun {
    #[new]
    #[pyo3(signature = (*, project=None, entity=None, name=None, id=None, config=None, tags=None, notes=None, group=None,
        job_type=None, dir=None, mode=None, resume=None, fork_from=None, resume_from=None, allow_val_change=None,
        sweep_id=None, label=None, primary=None, attach=None, environment=None, base_url=None, api_key=None,
        finish_timeout=None, init_timeout=None, finish_detached=None, sender_command=None, symlink=None, verbosity=None,
        sticky_summary=None, package_folders=None, system_metrics=None, system_interval=None,
        save_requirements=None, disable_git=None, disable_code=None, console=None, before=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of init()")]
    fn new(
        py: Python<'_>,
        project: Option<String>,
        entity: Option<String>,
        name: Option<String>,
        id: Option<String>,
        config: Option<Bound<'_, PyDict>>,
        tags: Option<Vec<String>>,
        notes: Option<String>,
        group: Option<String>,
        job_type: Option<String>,
        dir: Option<PathBuf>,
        mode: Option<&str>,
        resume: Option<&str>,
        fork_from: Option<&str>,
        resume_from: Option<&str>,
        allow_val_change: Option<bool>,
        sweep_id: Option<String>,
        label: Option<String>,
        primary: Option<bool>,
        attach: Option<(String, i64)>,
        environment: Option<Bound<'_, PyDict>>,
        base_url: Option<String>,
        api_key: Option<String>,
        finish_timeout: Option<f64>,
        init_timeout: Option<f64>,
        finish_detached: Option<bool>,
        sender_command: Option<Vec<OsString>>,
        symlink: Option<bool>,
        verbosity: Option<&str>,
        sticky_summary: Option<bool>,
        package_folders: Option<Vec<PathBuf>>,
        system_metrics: Option<bool>,
        system_interval: Option<f64>,
        save_requirements: Option<bool>,
        disable_git: Option<bool>,
        disable_code: Option<bool>,
        console: Option<&str>,
        before: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut builder = RunBuilder::default();
        macro_rules! set {
            ($($name:ident => $method:ident),*) => {
                $(if let Some(value) = $name {
                    builder = builder.$method(value);
                })*
            };
        }
        set!(project => project, entity => entity, name => name, id => id, tags => tags, notes => notes, group => group,
            job_type => job_type, dir => root, base_url => base_url, api_key => api_key, sweep_id => sweep_id,
            label => label, primary => primary, allow_val_change => allow_val_change,
            finish_detached => finish_detached, sender_command => sender_command, symlink => symlink,
            sticky_summary => sticky_summary, package_folders => package_folders, system_metrics => system_metrics,
            save_requirements => save_requirements, disable_git => disable_git, disable_code => disable_code);
        let refused = |error: steplog::Error| to_exception(py, &error);
        if let Some(mode) = mode {
            builder = builder.mode(mode.parse::<Mode>().map_err(refused)?);
        }
        if let Some(word) = console {
            builder = builder.console(word.parse::<ConsoleMode>().map_err(refused)?);
        }
        if let Some(resume) = resume {
            builder = builder.resume(resume.parse::<Resume>().map_err(refused)?);
        }
        if let Some(point) = fork_from {
            builder = builder.fork_from(parse_fork_point(point).map_err(refused)?);
        }
        if let Some(point) = resume_from {
            builder = builder.resume_from(parse_fork_point(point).map_err(refused)?);
        }
        if let Some((stream, step)) = attach {
            builder = builder.attach(&stream, step).map_err(refused)?;
        }
        if let Some(seconds) = finish_timeout {
            builder = builder.finish_timeout(timeout(py, "finish_timeout", seconds)?);
        }
        if let Some(seconds) = init_timeout {
            builder = builder.init_timeout(timeout(py, "init_timeout", seconds)?);
        }
        if let Some(seconds) = system_interval {
            builder = builder.system_interval(timeout(py, "system_interval", seconds)?);
        }
        if let Some(word) = verbosity {
            builder = builder.verbosity(match word {
                "silent" => Verbosity::Silent,
                "quiet" => Verbosity::Quiet,
                _ => Verbosity::Normal,
            });
        }
        if let Some(environment) = environment {
            let value = to_value(&environment, "environment", Place::Config, 0)?;
            if let serde_json::Value::Object(environment) = value.to_json() {
                builder = builder.environment(environment);
            }
        }
        for (key, value) in config_entries(config)? {
            builder = builder.config(key, value);
        }
        if let Some(before) = before {
            py.detach(|| builder.check()).map_err(refused)?;
            before.call0()?;
        }
        let run = py.detach(|| builder.init()).map_err(|error| to_exception(py, &error))?;
        Ok(Self { run, scratch: Mutex::default() })
    }

    /// Log a row: metrics by key.
    ///
    /// Nested dicts are flattened: each leaf is a metric of its own. The call waits for no disk and no network,
    /// and what it returned from survives `kill -9` of the process. A refused row loses nothing else.
    ///
    /// Args:
    ///     data: A mapping from str to numbers, booleans, text, None, times, enums, dataclasses, lists and
    ///         dicts of such, and scalars and arrays of NumPy, PyTorch, JAX and TensorFlow. Of an array of more
    ///         than 32 numbers a histogram is kept. At most 4,096 bytes in a key, 1 MiB in a text, 64 levels of
    ///         nesting.
    ///     step: The row's step. Default: the run's, which then goes up by one. At or above the run's step the
    ///         row stays open for more and the run's step moves there; below, it is a late row and the run's
    ///         step stays.
    ///     commit: Whether the row is complete. Default: yes, unless a step is given.
    ///     sync: Accepted for old scripts; changes nothing.
    ///
    /// Raises:
    ///     `InvalidDataError`: Something in the row cannot be logged; nothing of this call was.
    ///     `UsageError`: The run is finished.
    #[pyo3(signature = (data, step=None, commit=None, sync=None))]
    fn log(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        step: Option<&Bound<'_, PyAny>>,
        commit: Option<bool>,
        sync: Option<bool>,
    ) -> PyResult<()> {
        // An argument of old that never changed what is recorded.
        let _ = sync;
        let step = step.map(|step| to_step(step)).transpose()?;
        let converted;
        let dict = match data.cast_exact::<PyDict>() {
            Ok(dict) => dict,
            Err(_) => {
                converted = as_dict(data)?.ok_or_else(|| {
                    let class = data.get_type().qualname().map_or_else(|_| "?".into(), |name| name.to_string());
                    invalid(py, format!("log() takes a dict of metrics, not a {class}"))
                })?;
                &converted
            }
        };
        let mut others = Vec::new();
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let Scratch { keys, entries } = &mut *scratch;
        entries.clear();
        keys.in_process(self.run.process_generation());
        let read = self.read_plain(dict, keys, entries, &mut others);
        if others.is_empty() || read.is_err() {
            let logged = read.and_then(|()| self.run.log_entries(entries, step, commit));
            // Making an exception may run Python code, and so may converting other objects: it may log to this run.
            drop(scratch);
            return logged.map_err(|error| to_exception(py, &error));
        }
        let mut entries = std::mem::take(entries);
        drop(scratch);
        let mut leaves = Vec::new();
        for (key, value) in others {
            let key = key.bind(py);
            let Ok(text) = key.cast::<PyString>() else {
                let class = key.get_type().qualname()?;
                return Err(invalid(py, format!("the key {} is a {class}, not a str", key.repr()?.to_string_lossy())));
            };
            flatten(&mut leaves, join_key([&*text.to_string_lossy()]), value.bind(py), 0)?;
        }
        for (key, value) in leaves {
            entries.push((self.run.intern(&key).map_err(|error| to_exception(py, &error))?, value));
        }
        self.run.log_entries(&mut entries, step, commit).map_err(|error| to_exception(py, &error))
    }

    #[pyo3(signature = (entries, allow_val_change))]
    fn update_config(&self, py: Python<'_>, entries: Bound<'_, PyDict>, allow_val_change: bool) -> PyResult<()> {
        let entries = config_entries(Some(entries))?;
        self.run.update_config(entries, allow_val_change).map_err(|error| to_exception(py, &error))
    }

    fn set_config_defaults(&self, py: Python<'_>, entries: Bound<'_, PyDict>) -> PyResult<()> {
        let entries = config_entries(Some(entries))?;
        self.run.set_config_defaults(entries).map_err(|error| to_exception(py, &error))
    }

    /// The config as a new dict.
    fn read_config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (key, value) in self.run.config().entries() {
            dict.set_item(key, to_python(py, value)?)?;
        }
        Ok(dict)
    }

    /// The summary as new nested dicts.
    fn read_summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let summary = self.run.summary();
        let mut leaves: Vec<_> = summary.iter().map(|(key, value)| (&**key, value)).collect();
        leaves.sort_by_key(|(key, _)| *key);
        let own = self.run.last_row().map(|(step, time)| {
            let runtime = time - self.run.start_time();
            [
                // The last row of a run that is gone on with is from before.
                ("_runtime", if runtime < 0.0 { Value::Null } else { Value::Float(runtime) }),
                ("_step", Value::Int(step)),
                ("_timestamp", Value::Float(time)),
            ]
        });
        let own = own.iter().flatten().filter(|(_, value)| !matches!(value, Value::Null));
        leaves.extend(own.map(|(key, value)| (*key, value)));
        nest(py, &leaves)
    }

    /// Sets summary values below a path, all or none; what stood below each of them goes.
    fn update_summary(&self, py: Python<'_>, path: Vec<String>, entries: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut changes = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            let Ok(name) = name.cast::<PyString>() else {
                let class = name.get_type().qualname()?;
                let message = format!("the summary key {} is a {class}, not a str", name.repr()?.to_string_lossy());
                return Err(invalid(py, message));
            };
            let key = join_key(path.iter().map(String::as_str).chain([&*name.to_string_lossy()]));
            let value = to_value(&value, &key, Place::Summary, 0)?;
            changes.push((key, Some(value)));
        }
        self.run.change_summary(changes).map_err(|error| to_exception(py, &error))
    }

    /// Removes the summary value at a path, and everything below.
    fn remove_summary(&self, py: Python<'_>, path: Vec<String>) -> PyResult<()> {
        let key = join_key(path.iter().map(String::as_str));
        self.run.change_summary(vec![(key, None)]).map_err(|error| to_exception(py, &error))
    }

    /// Says something about a metric.
    #[pyo3(signature = (name, step_metric, step_sync, hidden, summary, overwrite))]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of define_metric()")]
    fn define(
        &self,
        py: Python<'_>,
        name: String,
        step_metric: Option<String>,
        step_sync: Option<bool>,
        hidden: Option<bool>,
        summary: Option<&str>,
        overwrite: bool,
    ) -> PyResult<Vec<&'static str>> {
        let summary = summary.map(Aggregate::parse_list).transpose();
        let summary = summary.map_err(|error| to_exception(py, &error.into()))?;
        let words = summary.iter().flatten().map(|aggregate| aggregate.as_str()).collect();
        let definition = MetricDefinition { name, step_metric, step_sync, hidden, summary, overwrite };
        self.run.define_metric(definition).map_err(|error| to_exception(py, &error))?;
        Ok(words)
    }

    /// Tells people something; the waiting time is in seconds, 0 for the usual one.
    fn tell(&self, py: Python<'_>, title: &str, text: &str, level: &str, wait_seconds: f64) -> PyResult<()> {
        let level = level.parse::<AlertLevel>().map_err(|error| to_exception(py, &error.into()))?;
        let wait = timeout(py, "wait_duration", wait_seconds)?;
        self.run.alert(title, text, level, Some(wait)).map_err(|error| to_exception(py, &error))
    }

    /// Says that this process is about to be taken off its machine, and that the run will be resumed.
    ///
    /// The run then shows as preempted, not as crashed, until a process goes on with it.
    ///
    /// Raises:
    ///     `UsageError`: The run is finished.
    fn mark_preempting(&self, py: Python<'_>) -> PyResult<()> {
        self.run.mark_preempting().map_err(|error| to_exception(py, &error))
    }

    /// Saves files with the run; answers their paths in its folder.
    #[pyo3(signature = (pattern, base_path, policy, glob))]
    fn save_files(
        &self,
        py: Python<'_>,
        pattern: &str,
        base_path: Option<PathBuf>,
        policy: &str,
        glob: bool,
    ) -> PyResult<Vec<String>> {
        save::save(py, &self.run, pattern, base_path, policy, glob)
    }

    /// Makes a version of an artifact.
    fn record_artifact(&self, py: Python<'_>, artifact: &NativeArtifact, aliases: Vec<String>) -> PyResult<()> {
        let artifact = &artifact.artifact;
        py.detach(|| self.run.log_artifact(artifact, &aliases)).map_err(|error| to_exception(py, &error))
    }

    /// Sends what is added to an artifact from now on at once: the run will log it.
    fn send_early(&self, py: Python<'_>, artifact: &NativeArtifact) -> PyResult<()> {
        py.detach(|| artifact.artifact.send_early(&self.run)).map_err(|error| to_exception(py, &error))
    }

    /// Makes a version of an artifact that the run only takes as an input.
    fn record_input(&self, py: Python<'_>, artifact: &NativeArtifact, aliases: Vec<String>) -> PyResult<()> {
        let artifact = &artifact.artifact;
        py.detach(|| self.run.log_input(artifact, &aliases)).map_err(|error| to_exception(py, &error))
    }

    /// Takes the version of a name as an input.
    fn find_artifact(&self, py: Python<'_>, name: &str, r#type: Option<&str>) -> PyResult<NativeArtifact> {
        let artifact = py.detach(|| self.run.use_artifact(name, r#type)).map_err(|error| to_exception(py, &error))?;
        Ok(NativeArtifact { artifact })
    }

    /// Takes a version as an input.
    fn record_use(
        &self,
        py: Python<'_>,
        artifact: &NativeArtifact,
        r#type: Option<&str>,
        aliases: Vec<String>,
    ) -> PyResult<()> {
        let artifact = &artifact.artifact;
        py.detach(|| self.run.use_logged(artifact, r#type, &aliases)).map_err(|error| to_exception(py, &error))
    }

    /// Takes the model of a name as an input.
    fn find_model(&self, py: Python<'_>, name: &str) -> PyResult<NativeArtifact> {
        let artifact = py.detach(|| self.run.use_model(name)).map_err(|error| to_exception(py, &error))?;
        Ok(NativeArtifact { artifact })
    }

    /// Links a version into a registry.
    fn record_link(
        &self,
        py: Python<'_>,
        artifact: &NativeArtifact,
        target: &str,
        aliases: Vec<String>,
    ) -> PyResult<()> {
        let artifact = &artifact.artifact;
        py.detach(|| self.run.link_artifact(artifact, target, &aliases)).map_err(|error| to_exception(py, &error))
    }

    /// The versions that the run made, or those that it used.
    fn list_artifacts(&self, py: Python<'_>, used: bool) -> PyResult<Vec<NativeArtifact>> {
        let list = || if used { self.run.used_artifacts() } else { self.run.logged_artifacts() };
        let list = py.detach(list).map_err(|error| to_exception(py, &error))?;
        Ok(list.into_iter().map(|artifact| NativeArtifact { artifact }).collect())
    }

    /// Bytes of the journal, bytes that the server has of it, whether it answered, when it last took something.
    fn sync_state(&self) -> (u64, u64, bool, Option<f64>) {
        let status = self.run.status();
        (status.journal_bytes, status.synced_bytes, status.connected, status.synced_at)
    }

    /// The complete rows of this process as nested dicts.
    fn read_history<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rows = py.detach(|| self.run.history()).map_err(|error| to_exception(py, &error))?;
        let start = self.run.start_time();
        rows.iter()
            .map(|row| {
                let own = [
                    ("_runtime", Value::Float(row.time - start)),
                    ("_step", Value::Int(row.step)),
                    ("_timestamp", Value::Float(row.time)),
                ];
                let mut leaves: Vec<_> = row.entries.iter().map(|(key, value)| (&**key, value)).collect();
                leaves.extend(own.iter().map(|(key, value)| (*key, value)));
                nest(py, &leaves)
            })
            .collect()
    }

    /// Ends the run; waits for the server up to the timeout.
    fn close(&self, py: Python<'_>, exit_code: i32) -> PyResult<()> {
        let mut signal = Ok(());
        py.detach(|| {
            self.run.finish_unless(exit_code, &mut || {
                signal = Python::attach(|py| py.check_signals());
                signal.is_err()
            })
        });
        // Ctrl-C ends the waiting, not the recording: the journal is complete, and `steplog sync` sends the rest.
        signal
    }

    #[getter]
    fn finished(&self) -> bool {
        self.run.is_finished()
    }

    #[getter]
    fn keeps_code(&self) -> bool {
        self.run.keeps_code()
    }

    #[getter]
    fn id(&self) -> &str {
        self.run.id()
    }

    #[getter]
    fn name(&self) -> Option<String> {
        self.run.name()
    }

    #[setter]
    fn set_name(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.run.set_name(name).map_err(|error| to_exception(py, &error))
    }

    #[getter]
    fn notes(&self) -> Option<String> {
        self.run.notes()
    }

    #[setter]
    fn set_notes(&self, py: Python<'_>, notes: &str) -> PyResult<()> {
        self.run.set_notes(notes).map_err(|error| to_exception(py, &error))
    }

    #[getter]
    fn tag_list(&self) -> Vec<String> {
        self.run.tags()
    }

    fn set_tag_list(&self, py: Python<'_>, tags: Vec<String>) -> PyResult<()> {
        self.run.set_tags(tags).map_err(|error| to_exception(py, &error))
    }

    #[getter]
    fn project(&self) -> &str {
        self.run.project()
    }

    #[getter]
    fn entity(&self) -> &str {
        self.run.entity()
    }

    #[getter]
    fn path(&self) -> String {
        self.run.path()
    }

    #[getter]
    fn group(&self) -> &str {
        self.run.group().unwrap_or_default()
    }

    #[getter]
    fn job_type(&self) -> &str {
        self.run.job_type().unwrap_or_default()
    }

    #[getter]
    fn mode_word(&self) -> &'static str {
        self.run.mode().as_str()
    }

    #[getter]
    fn console_word(&self) -> &'static str {
        self.run.console_mode().as_str()
    }

    #[getter]
    fn start_time(&self) -> f64 {
        self.run.start_time()
    }

    #[getter]
    fn step(&self) -> i64 {
        self.run.step()
    }

    /// The folder that `init` calls `dir`: the one above that of all runs. A str: the first `pathlib.Path` of a process
    /// imports that module, and a child that is forked while a thread does so can never import it.
    #[getter]
    fn root(&self) -> Option<OsString> {
        self.run.dir()?.ancestors().nth(4).map(|root| root.as_os_str().to_owned())
    }

    #[getter]
    fn starting_step(&self) -> i64 {
        self.run.starting_step()
    }

    #[getter]
    fn resumed(&self) -> bool {
        self.run.resumed()
    }

    #[getter]
    fn sweep_id(&self) -> Option<&str> {
        self.run.sweep_id()
    }

    #[getter]
    fn label(&self) -> Option<&str> {
        self.run.label()
    }

    #[getter]
    fn stream(&self) -> String {
        self.run.stream()
    }

    #[getter]
    fn sweep_url(&self) -> Option<String> {
        self.run.sweep_url()
    }

    /// A str, as [`Self::root`] is.
    #[getter]
    fn folder(&self) -> Option<OsString> {
        self.run.dir().map(OsString::from)
    }

    #[getter]
    fn url(&self) -> Option<String> {
        self.run.url()
    }

    #[getter]
    fn project_url(&self) -> Option<String> {
        self.run.project_url()
    }
}

impl NativeRun {
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Reads what can be read without running Python code: str keys, and plain numbers, booleans and None.
    fn read_plain(
        &self,
        dict: &Bound<'_, PyDict>,
        keys: &mut KeyObjects,
        entries: &mut Vec<(KeyId, Value)>,
        others: &mut Vec<Other>,
    ) -> Result<(), steplog::Error> {
        let py = dict.py();
        entries.reserve(dict.len());
        let (mut cursor, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        let mut position = 0;
        // SAFETY: The interpreter is attached, `dict` is a dict, and nothing below runs Python code or releases the
        // interpreter before the next call, so the dict does not change. The pointers are borrowed from it.
        while unsafe { ffi::PyDict_Next(dict.as_ptr(), &mut cursor, &mut key, &mut value) } != 0 {
            let id = match keys.get(key, position) {
                Some(id) => Some(id),
                None => {
                    // SAFETY: `key` is a live object.
                    let key = unsafe { Bound::from_borrowed_ptr(py, key) };
                    self.intern_plain(&key, keys)?
                }
            };
            position += 1;
            // SAFETY: `value` is a live object.
            let is_float = unsafe { ffi::PyFloat_CheckExact(value) } != 0;
            // Floats first: they are by far the most, and go straight to their place.
            if let (Some(id), true) = (id, is_float) {
                // SAFETY: As above.
                let number = unsafe { ffi::PyFloat_AsDouble(value) };
                entries.push((id, Value::Float(number)));
                continue;
            }
            // SAFETY: As above.
            match (id, unsafe { plain_value(value) }) {
                (Some(id), Some(plain)) => entries.push((id, plain)),
                // SAFETY: Both are live objects, borrowed from the dict.
                _ => others.push(unsafe { (owned(py, key), owned(py, value)) }),
            }
        }
        Ok(())
    }

    /// The number of a key object that was not seen before; `None` when it is no plain str.
    #[cold]
    fn intern_plain(&self, key: &Bound<'_, PyAny>, keys: &mut KeyObjects) -> Result<Option<KeyId>, steplog::Error> {
        let Ok(object) = key.cast_exact::<PyString>() else { return Ok(None) };
        let Ok(text) = object.to_str() else { return Ok(None) };
        let id = self.run.intern(&join_key([text]))?;
        keys.insert(object, id);
        Ok(Some(id))
    }
}

/// # Safety
/// `object` is live.
unsafe fn owned(py: Python<'_>, object: *mut ffi::PyObject) -> Py<PyAny> {
    // SAFETY: Promised by the caller.
    unsafe { Bound::from_borrowed_ptr(py, object).unbind() }
}

/// An int of 64 bits, a bool or None; exact types only, so that no Python code runs.
///
/// # Safety
/// The interpreter is attached and `object` is live.
#[inline]
unsafe fn plain_value(object: *mut ffi::PyObject) -> Option<Value> {
    // SAFETY: The functions only look at the object's type and its own memory.
    unsafe {
        if ffi::PyLong_CheckExact(object) != 0 {
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(object, &mut overflow);
            return (overflow == 0).then_some(Value::Int(number));
        }
        if object == ffi::Py_None() {
            return Some(Value::Null);
        }
        if ffi::PyBool_Check(object) != 0 {
            return Some(Value::Bool(object == ffi::Py_True()));
        }
        None
    }
}

/// A length of time given in seconds.
pub(crate) fn timeout(py: Python<'_>, name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|error| invalid(py, format!("{name} {seconds} is not a number of seconds: {error}")))
}

/// Sends a run of a folder to a server until that has all of it; what `finish` leaves to a process in the background.
/// `patience` is how long the server may not answer, in seconds.
#[pyfunction]
pub(crate) fn send_run(py: Python<'_>, folder: PathBuf, patience: f64) -> PyResult<()> {
    let patience = timeout(py, "patience", patience)?;
    py.detach(|| send_patiently(&RunFolder::at(folder), &Settings::default(), patience))
        .map(drop)
        .map_err(|error| to_exception(py, &error))
}

/// The config entries of a dict: keys are str, outer dashes are stripped.
fn config_entries(config: Option<Bound<'_, PyDict>>) -> PyResult<Vec<(String, Value)>> {
    let mut entries = Vec::new();
    for (key, value) in config.into_iter().flatten() {
        let Ok(text) = key.cast::<PyString>() else {
            let class = key.get_type().qualname()?;
            return Err(invalid(
                key.py(),
                format!("the config key {} is a {class}, not a str", key.repr()?.to_string_lossy()),
            ));
        };
        let key = text.to_string_lossy().trim_matches('-').to_owned();
        let value = to_value(&value, &key, Place::Config, 0)?;
        entries.push((key, value));
    }
    Ok(entries)
}

/// A step: an int or what NumPy takes for one, but no bool, float or text.
fn to_step(step: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = step.py();
    let refuse = || {
        let class = step.get_type().qualname().map_or_else(|_| "?".into(), |name| name.to_string());
        invalid(py, format!("step is a {class}, not an int"))
    };
    if step.is_instance_of::<PyBool>() {
        return Err(refuse());
    }
    let number = match step.cast::<PyInt>() {
        Ok(number) => number.clone(),
        Err(_) => step.call_method0("__index__").map_err(|_| refuse())?.cast_into::<PyInt>().map_err(|_| refuse())?,
    };
    debug_assert!(PyInt::is_type_of(&number));
    number.extract::<i64>().map_err(|_| invalid(py, format!("step {number} does not fit into 64 bits")))
}
