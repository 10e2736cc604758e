//! What a server holds, as Python reads it. `steplog.api` makes objects of it.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use steplog::api::{
    ConsoleFormat, ConsoleLine, ConsoleLines, ConsoleOutput, ConsoleQuery, Download, Entries, ExistingFile, File,
    Files, Filter, HistoryFormat, HistoryQuery, HistoryRow, HistoryRows, Run, RunChanges, Runs, to_iso,
};
use steplog::{Api, ApiSettings, Value, join_key};

use crate::api_artifact::{NativeArtifacts, NativeCollection, NativeCollections};
use crate::artifact::NativeArtifact;
use crate::error::{invalid, to_exception};
use crate::to_python::{json_to_python, to_python};
use crate::to_value::{Place, to_value};

/// A server, to read from.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeApi {
    pub(crate) api: Api,
}

/// Runs of a project, page by page.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeRuns {
    runs: Mutex<Runs>,
}

/// A run of a server, as it was when it was last read or changed.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeApiRun {
    run: Mutex<Run>,
}

/// Rows of a run, page by page.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeRows {
    rows: Mutex<HistoryRows>,
    /// What a row has, in this order; everything when absent.
    columns: Option<Vec<String>>,
}

/// Lines that a run printed, page by page.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeConsole {
    lines: Mutex<ConsoleLines>,
}

/// A line: text, output, time, number, id of the process's journal, its label.
type ConsoleTuple = (String, &'static str, f64, u64, String, Option<String>);

/// Files of a run, page by page.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeFiles {
    files: Mutex<Files>,
}

/// A file of a run, as it was when it was listed.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeApiFile {
    file: File,
}

/// What a server sends, as a file that can be read once.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeDownload {
    /// `None` when closed.
    download: Mutex<Option<Download>>,
}

/// How often a long download looks whether somebody pressed Ctrl-C.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks the server while other Python threads go on.
pub(crate) fn ask<T: Send>(py: Python<'_>, question: impl FnOnce() -> Result<T, steplog::Error> + Send) -> PyResult<T> {
    py.detach(question).map_err(|error| to_exception(py, &error))
}

#[pymethods]
impl NativeApi {
    #[new]
    #[pyo3(signature = (*, base_url=None, api_key=None, entity=None, project=None, timeout=None))]
    fn new(
        py: Python<'_>,
        base_url: Option<String>,
        api_key: Option<String>,
        entity: Option<String>,
        project: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let wrong = |seconds: f64| invalid(py, format!("timeout {seconds} is not a positive number of seconds"));
        let timeout = timeout
            .map(|seconds| {
                let duration = Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero());
                duration.ok_or_else(|| wrong(seconds))
            })
            .transpose()?;
        let settings = ApiSettings { base_url, api_key, entity, project, timeout };
        Ok(Self { api: Api::with_settings(settings).map_err(|error| to_exception(py, &error))? })
    }

    #[getter]
    fn base_url(&self) -> &str {
        self.api.base_url()
    }

    fn default_entity(&self, py: Python<'_>) -> PyResult<String> {
        ask(py, || self.api.default_entity())
    }

    #[pyo3(signature = (entity=None))]
    fn projects<'py>(&self, py: Python<'py>, entity: Option<String>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let projects = ask(py, || self.api.projects(entity.as_deref()))?;
        projects.iter().map(|project| with_iso_times(json_to_python(py, project)?)).collect()
    }

    fn runs(
        &self,
        py: Python<'_>,
        project: &str,
        filters: Option<&Bound<'_, PyAny>>,
        order: &str,
        per_page: u32,
    ) -> PyResult<NativeRuns> {
        let filters = match filters {
            Some(filters) => to_value(filters, "filters", Place::Row, 0)?,
            None => Value::Null,
        };
        let runs = ask(py, || {
            let filter = Filter::from_value(&filters)?;
            Ok(self.api.runs(project)?.filter(filter).order(order)?.per_page(per_page))
        })?;
        Ok(NativeRuns { runs: Mutex::new(runs) })
    }

    #[pyo3(signature = (name, r#type))]
    fn artifact(&self, py: Python<'_>, name: &str, r#type: Option<&str>) -> PyResult<NativeArtifact> {
        Ok(NativeArtifact { artifact: ask(py, || self.api.artifact(name, r#type))? })
    }

    #[pyo3(signature = (name, r#type))]
    fn artifact_exists(&self, py: Python<'_>, name: &str, r#type: Option<&str>) -> PyResult<bool> {
        ask(py, || self.api.artifact_exists(name, r#type))
    }

    fn artifact_versions(&self, py: Python<'_>, collection: &str, per_page: u32) -> PyResult<NativeArtifacts> {
        Ok(NativeArtifacts::of_server(ask(py, || self.api.artifact_versions(collection))?, per_page))
    }

    fn artifact_collection(&self, py: Python<'_>, name: &str) -> PyResult<NativeCollection> {
        Ok(NativeCollection::of_server(ask(py, || self.api.artifact_collection(name))?))
    }

    #[pyo3(signature = (name, r#type))]
    fn artifact_collection_exists(&self, py: Python<'_>, name: &str, r#type: Option<&str>) -> PyResult<bool> {
        ask(py, || self.api.artifact_collection_exists(name, r#type))
    }

    #[pyo3(signature = (project, r#type, kind, search, per_page))]
    fn artifact_collections(
        &self,
        py: Python<'_>,
        project: &str,
        r#type: Option<String>,
        kind: Option<&str>,
        search: Option<String>,
        per_page: u32,
    ) -> PyResult<NativeCollections> {
        NativeCollections::new(py, &self.api, project, r#type, kind, search, per_page)
    }

    /// Types, and how many collections have each.
    fn artifact_types(&self, py: Python<'_>, project: &str) -> PyResult<Vec<(String, u64)>> {
        let types = ask(py, || self.api.artifact_types(project))?;
        Ok(types.into_iter().map(|one| (one.r#type, one.count)).collect())
    }

    fn run(&self, py: Python<'_>, path: &str) -> PyResult<NativeApiRun> {
        Ok(NativeApiRun { run: Mutex::new(ask(py, || self.api.run(path))?) })
    }
}

#[pymethods]
impl NativeRuns {
    #[getter]
    fn project(&self, py: Python<'_>) -> String {
        py.detach(|| lock(&self.runs).project().to_owned())
    }

    fn total(&self, py: Python<'_>) -> PyResult<u64> {
        ask(py, || lock(&self.runs).total())
    }

    fn next_page(&self, py: Python<'_>) -> PyResult<Vec<NativeApiRun>> {
        let page = ask(py, || lock(&self.runs).next_page())?;
        Ok(page.into_iter().map(|run| NativeApiRun { run: Mutex::new(run) }).collect())
    }
}

#[pymethods]
impl NativeApiRun {
    /// Name, state, tags, times and the like.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        with_iso_times(json_to_python(py, self.run(py).info())?)
    }

    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        entries(py, self.run(py).config())
    }

    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        entries(py, self.run(py).summary())
    }

    fn environment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let environment = self.change(py, |run| run.environment().cloned())?;
        json_to_python(py, &environment)
    }

    #[getter]
    fn url(&self, py: Python<'_>) -> String {
        self.run(py).url()
    }

    fn reload(&self, py: Python<'_>) -> PyResult<()> {
        self.change(py, Run::reload)
    }

    #[pyo3(signature = (*, name=None, notes=None, tags=None, group=None, stop=None, set_config=None, remove_config=None,
        set_summary=None, remove_summary=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the members of the request")]
    fn update(
        &self,
        py: Python<'_>,
        name: Option<String>,
        notes: Option<String>,
        tags: Option<Vec<String>>,
        group: Option<String>,
        stop: Option<bool>,
        set_config: Option<Vec<(String, Bound<'_, PyAny>)>>,
        remove_config: Option<Vec<String>>,
        set_summary: Option<Vec<(Vec<String>, Bound<'_, PyAny>)>>,
        remove_summary: Option<Vec<Vec<String>>>,
    ) -> PyResult<()> {
        let path = |path: &[String]| join_key(path.iter().map(String::as_str));
        let mut changes = RunChanges { name, notes, tags, group, stop, ..RunChanges::default() };
        for (key, value) in set_config.unwrap_or_default() {
            changes.set_config.insert(key.clone(), to_json(&value, &key, Place::Config)?);
        }
        for (key, value) in set_summary.unwrap_or_default() {
            let key = path(&key);
            changes.set_summary.insert(key.clone(), to_json(&value, &key, Place::Summary)?);
        }
        changes.remove_config = remove_config.unwrap_or_default();
        changes.remove_summary = remove_summary.unwrap_or_default().iter().map(|key| path(key)).collect();
        self.change(py, |run| run.update(&changes))
    }

    fn delete(&self, py: Python<'_>) -> PyResult<()> {
        let run = self.run(py);
        ask(py, || run.delete())
    }

    #[pyo3(signature = (*, keys=None, columns=None, samples=None, from_step=None, to_step=None, page_size=1000))]
    #[expect(clippy::too_many_arguments, reason = "they are the members of the query")]
    fn rows(
        &self,
        py: Python<'_>,
        keys: Option<Vec<String>>,
        columns: Option<Vec<String>>,
        samples: Option<u32>,
        from_step: Option<i64>,
        to_step: Option<i64>,
        page_size: u32,
    ) -> NativeRows {
        let query = query(keys, samples, from_step, to_step);
        NativeRows { rows: Mutex::new(self.run(py).scan_history(query, page_size)), columns }
    }

    #[pyo3(signature = (format, *, keys=None, samples=None, from_step=None, to_step=None))]
    fn download_history(
        &self,
        py: Python<'_>,
        format: &str,
        keys: Option<Vec<String>>,
        samples: Option<u32>,
        from_step: Option<i64>,
        to_step: Option<i64>,
    ) -> PyResult<NativeDownload> {
        let format: HistoryFormat = format.parse().map_err(|error| to_exception(py, &error))?;
        let run = self.run(py);
        let query = query(keys, samples, from_step, to_step);
        Ok(NativeDownload { download: Mutex::new(Some(ask(py, || run.download_history(format, &query))?)) })
    }

    #[pyo3(signature = (*, output=None, stream=None, search=None, regex=false, case_sensitive=false, start=0, page_size=1000))]
    #[expect(clippy::too_many_arguments, reason = "they are the members of the query")]
    fn console(
        &self,
        py: Python<'_>,
        output: Option<&str>,
        stream: Option<String>,
        search: Option<String>,
        regex: bool,
        case_sensitive: bool,
        start: i64,
        page_size: u32,
    ) -> PyResult<NativeConsole> {
        let output = console_output(py, output)?;
        let query = ConsoleQuery { output, stream, search, regex, case_sensitive, from: start };
        Ok(NativeConsole { lines: Mutex::new(self.run(py).console_lines(query).per_page(page_size)) })
    }

    fn download_console(&self, py: Python<'_>, format: &str, output: Option<&str>) -> PyResult<NativeDownload> {
        let format: ConsoleFormat = format.parse().map_err(|error| to_exception(py, &error))?;
        let (run, output) = (self.run(py), console_output(py, output)?);
        Ok(NativeDownload { download: Mutex::new(Some(ask(py, || run.download_console(format, output))?)) })
    }

    fn system_rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let run = self.run(py);
        let list = PyList::empty(py);
        ask(py, || run.system_history())?.into_iter().try_for_each(|row| list.append(row_dict(py, &row)?))?;
        Ok(list)
    }

    fn download_system(&self, py: Python<'_>, format: &str) -> PyResult<NativeDownload> {
        let format: HistoryFormat = format.parse().map_err(|error| to_exception(py, &error))?;
        let run = self.run(py);
        Ok(NativeDownload { download: Mutex::new(Some(ask(py, || run.download_system_history(format))?)) })
    }

    /// The versions that the run made, or those that it used.
    fn artifacts(&self, py: Python<'_>, used: bool) -> PyResult<Vec<NativeArtifact>> {
        let run = self.run(py);
        let list = ask(py, || if used { run.used_artifacts() } else { run.logged_artifacts() })?;
        Ok(list.into_iter().map(|artifact| NativeArtifact { artifact }).collect())
    }

    fn files(&self, py: Python<'_>, prefix: &str, per_page: u32) -> NativeFiles {
        NativeFiles { files: Mutex::new(self.run(py).files(Some(prefix)).per_page(per_page)) }
    }

    fn file(&self, py: Python<'_>, path: &str) -> PyResult<NativeApiFile> {
        let run = self.run(py);
        Ok(NativeApiFile { file: ask(py, || run.file(path))? })
    }
}

impl NativeApiRun {
    fn run(&self, py: Python<'_>) -> Run {
        // Whoever holds the lock may wait for a server.
        py.detach(|| lock(&self.run).clone())
    }

    fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut Run) -> Result<T, steplog::Error> + Send,
    ) -> PyResult<T> {
        ask(py, || change(&mut lock(&self.run)))
    }
}

/// Adds every time in Unix seconds as an ISO 8601 text.
pub(crate) fn with_iso_times(info: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    for member in ["created_at", "updated_at", "finished_at"] {
        if info.contains(member)? {
            let seconds: Option<f64> = info.get_item(member)?.extract()?;
            info.set_item(format!("{member}_iso"), seconds.map(to_iso))?;
        }
    }
    Ok(info)
}

fn query(
    keys: Option<Vec<String>>,
    samples: Option<u32>,
    from_step: Option<i64>,
    to_step: Option<i64>,
) -> HistoryQuery {
    let query = keys.map_or_else(HistoryQuery::default, HistoryQuery::complete);
    HistoryQuery { samples, from_step, to_step, ..query }
}

fn entries<'py>(py: Python<'py>, entries: &Entries) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    entries.iter().try_for_each(|(name, value)| dict.set_item(name, to_python(py, value)?))?;
    Ok(dict)
}

fn to_json(object: &Bound<'_, PyAny>, key: &str, place: Place) -> PyResult<serde_json::Value> {
    let value = to_value(object, key, place, 0)?;
    if has_big_integer(&value) {
        let message = format!("the value of {key:?} has an integer beyond 64 bits, which cannot be sent");
        return Err(invalid(object.py(), message));
    }
    Ok(value.to_json())
}

fn has_big_integer(value: &Value) -> bool {
    match value {
        Value::BigInt(_) => true,
        Value::List(items) => items.iter().any(has_big_integer),
        Value::Map(entries) => entries.iter().any(|(_, value)| has_big_integer(value)),
        _ => false,
    }
}

#[pymethods]
impl NativeRows {
    fn next_page<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let page = ask(py, || lock(&self.rows).next_page())?;
        let list = PyList::empty(py);
        page.into_iter().try_for_each(|row| list.append(self.row(py, row)?))?;
        Ok(list)
    }
}

impl NativeRows {
    fn row<'py>(&self, py: Python<'py>, row: HistoryRow) -> PyResult<Bound<'py, PyDict>> {
        let dict = row_dict(py, &row)?;
        let Some(columns) = &self.columns else { return Ok(dict) };
        let chosen = PyDict::new(py);
        for column in columns {
            chosen.set_item(column, dict.get_item(column)?)?;
        }
        Ok(chosen)
    }
}

/// A row as a dict, with all that it has.
fn row_dict<'py>(py: Python<'py>, row: &HistoryRow) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("_step", row.step)?;
    dict.set_item("_timestamp", row.time)?;
    dict.set_item("_runtime", row.runtime)?;
    for (key, value) in &row.values {
        dict.set_item(key, to_python(py, value)?)?;
    }
    Ok(dict)
}

fn console_output(py: Python<'_>, name: Option<&str>) -> PyResult<Option<ConsoleOutput>> {
    match name {
        None => Ok(None),
        Some("stdout") => Ok(Some(ConsoleOutput::Stdout)),
        Some("stderr") => Ok(Some(ConsoleOutput::Stderr)),
        Some(name) => Err(invalid(py, format!("output must be \"stdout\" or \"stderr\", not {name:?}"))),
    }
}

#[pymethods]
impl NativeConsole {
    fn next_page(&self, py: Python<'_>) -> PyResult<Vec<ConsoleTuple>> {
        let page = ask(py, || lock(&self.lines).next_page())?;
        let tuple = |line: ConsoleLine| {
            let output = match line.output {
                ConsoleOutput::Stdout => "stdout",
                ConsoleOutput::Stderr => "stderr",
            };
            let (stream, label) = (line.process.stream.clone(), line.process.label.clone());
            (line.text, output, line.time, line.number, stream, label)
        };
        Ok(page.into_iter().map(tuple).collect())
    }
}

#[pymethods]
impl NativeFiles {
    fn next_page(&self, py: Python<'_>) -> PyResult<Vec<NativeApiFile>> {
        let page = ask(py, || lock(&self.files).next_page())?;
        Ok(page.into_iter().map(|file| NativeApiFile { file }).collect())
    }
}

#[pymethods]
impl NativeApiFile {
    /// Path, size, hash, type and times.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        with_iso_times(json_to_python(py, self.file.info())?)
    }

    #[getter]
    fn url(&self) -> String {
        self.file.url()
    }

    /// Writes the content below a folder and answers the path of the file.
    fn download(&self, py: Python<'_>, root: PathBuf, replace: bool, exist_ok: bool) -> PyResult<OsString> {
        let existing = match (replace, exist_ok) {
            (true, _) => ExistingFile::Replace,
            (false, true) => ExistingFile::Keep,
            (false, false) => ExistingFile::Refuse,
        };
        let (mut looked_at, mut raised) = (Instant::now(), None);
        let written = py.detach(|| {
            self.file.download_with_progress(root, existing, |_| {
                if looked_at.elapsed() < SIGNALS_EVERY {
                    return Ok(());
                }
                looked_at = Instant::now();
                Python::attach(|py| py.check_signals()).map_err(|error| {
                    raised = Some(error);
                    steplog::Error::new(steplog::ErrorKind::Usage, "a signal ended the download")
                })
            })
        });
        match raised {
            Some(error) => Err(error),
            None => written.map(PathBuf::into_os_string).map_err(|error| to_exception(py, &error)),
        }
    }

    fn delete(&self, py: Python<'_>) -> PyResult<()> {
        let file = self.file.clone();
        ask(py, || file.delete())
    }
}

#[pymethods]
impl NativeDownload {
    /// Up to so many bytes, fewer only at the end; all that is left when negative.
    #[pyo3(signature = (size=-1), text_signature = "($self, size=-1)")]
    fn read<'py>(&self, py: Python<'py>, size: i64) -> PyResult<Bound<'py, PyBytes>> {
        let closed = || PyValueError::new_err("read of a closed download");
        let Ok(size) = usize::try_from(size) else {
            let download = py.detach(|| lock(&self.download).take()).ok_or_else(closed)?;
            let bytes = ask(py, || download.read_all())?;
            return Ok(PyBytes::new(py, &bytes));
        };
        let mut count = 0;
        // Straight into the object that Python gets, so that nothing is copied.
        let bytes = PyBytes::new_with(py, size, |buffer| {
            let read = py.detach(|| {
                let mut download = lock(&self.download);
                let Some(download) = download.as_mut() else { return Ok(None) };
                fill(download, buffer).map(Some)
            });
            count = read.map_err(|error| to_exception(py, &error))?.ok_or_else(closed)?;
            Ok(())
        })?;
        if count == size { Ok(bytes) } else { Ok(PyBytes::new(py, &bytes.as_bytes()[..count])) }
    }

    /// Lets go of the connection.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.download).take()));
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| lock(&self.download).is_none())
    }

    fn readable(&self) -> bool {
        true
    }

    fn seekable(&self) -> bool {
        false
    }

    fn writable(&self) -> bool {
        false
    }
}

fn fill(download: &mut Download, buffer: &mut [u8]) -> Result<usize, steplog::Error> {
    let mut count = 0;
    while count < buffer.len() {
        let broken = |error: std::io::Error| steplog::Error::new(steplog::ErrorKind::Server, error.to_string());
        match download.read(&mut buffer[count..]).map_err(broken)? {
            0 => break,
            read => count += read,
        }
    }
    Ok(count)
}
