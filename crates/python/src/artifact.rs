//! Artifacts as Python calls them; `steplog.Artifact` says what they mean.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use steplog::Artifact;
use steplog::artifact::{
    AddOptions, AddPolicy, ArtifactState, DownloadOptions, FilePath, ManifestEntry, NewFile, ReferenceOptions, Source,
};

use crate::api::{NativeApi, ask};
use crate::api_artifact::NativeCollection;
use crate::error::{invalid, to_exception};
use crate::to_python::json_to_python;
use crate::to_value::{Place, to_value};
use crate::waiting::Waiting;

/// An artifact: a draft or a version.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeArtifact {
    pub(crate) artifact: Artifact,
}

/// A file of a draft that is being written.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeNewFile {
    /// `None` when it was added or given up.
    file: Mutex<Option<NewFile>>,
}

#[pymethods]
impl NativeArtifact {
    #[new]
    fn new(py: Python<'_>, name: &str, r#type: &str) -> PyResult<Self> {
        let artifact = Artifact::new(name, r#type).map_err(|error| to_exception(py, &error))?;
        Ok(Self { artifact })
    }

    #[getter]
    fn name(&self) -> String {
        self.artifact.name()
    }

    #[getter]
    fn collection(&self) -> &str {
        self.artifact.collection().as_str()
    }

    #[getter]
    fn r#type(&self) -> &str {
        self.artifact.artifact_type().as_str()
    }

    #[getter]
    fn state(&self) -> &'static str {
        match self.artifact.state() {
            ArtifactState::Draft => "draft",
            ArtifactState::Pending => "pending",
            ArtifactState::Committed => "committed",
        }
    }

    #[getter]
    fn is_finalized(&self) -> bool {
        self.artifact.is_finalized()
    }

    fn finalize(&self) {
        self.artifact.finalize();
    }

    #[getter]
    fn description(&self) -> Option<String> {
        self.artifact.description()
    }

    fn set_description(&self, py: Python<'_>, description: &str) -> PyResult<()> {
        self.artifact.set_description(description).map_err(|error| to_exception(py, &error))
    }

    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_to_python(py, &self.artifact.metadata())
    }

    fn set_metadata(&self, py: Python<'_>, metadata: &Bound<'_, PyDict>) -> PyResult<()> {
        match to_value(metadata.as_any(), "metadata", Place::Config, 0)?.to_json() {
            serde_json::Value::Object(metadata) => {
                self.artifact.set_metadata(metadata).map_err(|error| to_exception(py, &error))
            }
            _ => Err(invalid(py, "metadata is no dict")),
        }
    }

    fn tags(&self) -> Vec<String> {
        self.artifact.tags()
    }

    fn set_tags(&self, py: Python<'_>, tags: Vec<String>) -> PyResult<()> {
        self.artifact.set_tags(tags).map_err(|error| to_exception(py, &error))
    }

    fn aliases(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.artifact.aliases().map_err(|error| to_exception(py, &error))
    }

    fn set_aliases(&self, py: Python<'_>, aliases: Vec<String>) -> PyResult<()> {
        self.artifact.set_aliases(aliases).map_err(|error| to_exception(py, &error))
    }

    /// In seconds; `None`: for ever.
    fn ttl(&self) -> Option<u64> {
        self.artifact.ttl().map(|ttl| ttl.as_secs())
    }

    fn set_ttl(&self, py: Python<'_>, seconds: Option<u64>) -> PyResult<()> {
        self.artifact.set_ttl(seconds.map(Duration::from_secs)).map_err(|error| to_exception(py, &error))
    }

    #[getter]
    fn is_incremental(&self) -> bool {
        self.artifact.is_incremental()
    }

    fn set_incremental(&self, py: Python<'_>, incremental: bool) -> PyResult<()> {
        self.artifact.set_incremental(incremental).map_err(|error| to_exception(py, &error))
    }

    /// Everything that is known of the version.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let info = self.artifact.info().map_err(|error| to_exception(py, &error))?;
        crate::api::with_iso_times(json_to_python(py, &info)?)
    }

    fn digest(&self, py: Python<'_>) -> String {
        py.detach(|| self.artifact.digest())
    }

    fn size_bytes(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.artifact.size_bytes())
    }

    fn file_count(&self) -> u64 {
        self.artifact.file_count()
    }

    /// The entries by path.
    fn entries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let manifest = py.detach(|| self.artifact.manifest()).map_err(|error| to_exception(py, &error))?;
        let list = PyList::empty(py);
        manifest.entries().try_for_each(|(path, entry)| list.append(entry_dict(py, path, entry)?))?;
        Ok(list)
    }

    /// The entry at a path, if there is one.
    fn entry<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        // What no entry can be called, none is called.
        let Ok(path) = path.parse::<FilePath>() else { return Ok(None) };
        let entry = py.detach(|| self.artifact.entry(&path)).map_err(|error| to_exception(py, &error))?;
        entry.map(|entry| entry_dict(py, &path, &entry)).transpose()
    }

    fn remove(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        self.artifact.remove(path).map_err(|error| to_exception(py, &error))
    }

    #[pyo3(signature = (path, name, *, immutable, overwrite, shows_progress))]
    fn add_file<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        name: Option<&str>,
        immutable: bool,
        overwrite: bool,
        shows_progress: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let options = add_options(immutable, overwrite);
        let mut waiting = Waiting::new("reading", shows_progress);
        let result = py.detach(|| {
            self.artifact.add_file_watched(&path, name, &options, &mut |progress| {
                waiting.goes_on(progress.done_bytes, progress.total_bytes)
            })
        });
        let entry = waiting.end(py, result)?;
        let name =
            name.map_or_else(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned(), str::to_owned);
        let name: FilePath = name.parse().map_err(|error| to_exception(py, &steplog::Error::from(error)))?;
        entry_dict(py, &name, &entry)
    }

    #[pyo3(signature = (path, name, *, immutable, overwrite, shows_progress))]
    fn add_dir(
        &self,
        py: Python<'_>,
        path: PathBuf,
        name: Option<&str>,
        immutable: bool,
        overwrite: bool,
        shows_progress: bool,
    ) -> PyResult<usize> {
        let options = add_options(immutable, overwrite);
        let mut waiting = Waiting::new("reading", shows_progress);
        let result = py.detach(|| {
            self.artifact.add_dir_watched(&path, name, &options, &mut |progress| {
                waiting.goes_on(progress.done_bytes, progress.total_bytes)
            })
        });
        waiting.end(py, result)
    }

    fn add_bytes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        bytes: &[u8],
        overwrite: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let entry =
            py.detach(|| self.artifact.add_bytes(name, bytes, overwrite)).map_err(|error| to_exception(py, &error))?;
        let path: FilePath = name.parse().map_err(|error| to_exception(py, &steplog::Error::from(error)))?;
        entry_dict(py, &path, &entry)
    }

    fn new_file(&self, py: Python<'_>, name: &str) -> PyResult<NativeNewFile> {
        let file = py.detach(|| self.artifact.new_file(name)).map_err(|error| to_exception(py, &error))?;
        Ok(NativeNewFile { file: Mutex::new(Some(file)) })
    }

    /// Answers the entries that the URI stands for.
    #[pyo3(signature = (uri, name, *, checksum, max_objects))]
    fn add_reference<'py>(
        &self,
        py: Python<'py>,
        uri: &str,
        name: Option<String>,
        checksum: bool,
        max_objects: Option<usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut options = ReferenceOptions { name, checksum, ..ReferenceOptions::default() };
        if let Some(count) = max_objects {
            options.max_objects = count;
        }
        let entries =
            py.detach(|| self.artifact.add_reference(uri, &options)).map_err(|error| to_exception(py, &error))?;
        let list = PyList::empty(py);
        entries.iter().try_for_each(|(path, entry)| list.append(entry_dict(py, path, entry)?))?;
        Ok(list)
    }

    /// Waits for the version: `None` for as long as it takes, else so many seconds.
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = timeout.map(|seconds| crate::run::timeout(py, "timeout", seconds)).transpose()?;
        let mut waiting = Waiting::silent();
        let result = py.detach(|| self.artifact.wait_unless(timeout, &mut || !waiting.goes_on(0, 0)));
        waiting.end(py, result)
    }

    /// Where `download` puts the files when nobody says otherwise.
    fn default_root(&self, py: Python<'_>) -> PyResult<OsString> {
        let root = self.artifact.default_root().map_err(|error| to_exception(py, &error))?;
        Ok(root.into_os_string())
    }

    /// Brings the files to this disk; answers the folder, and references that were left out.
    #[pyo3(signature = (root, *, allow_missing_references, skip_cache, path_prefix, shows_progress))]
    fn download(
        &self,
        py: Python<'_>,
        root: Option<PathBuf>,
        allow_missing_references: bool,
        skip_cache: bool,
        path_prefix: Option<String>,
        shows_progress: bool,
    ) -> PyResult<(OsString, Vec<String>)> {
        let options = DownloadOptions { root, path_prefix, skip_cache, allow_missing_references };
        let mut waiting = Waiting::new("downloading", shows_progress);
        let result = py.detach(|| {
            self.artifact
                .download_watched(&options, &mut |progress| waiting.goes_on(progress.done_bytes, progress.total_bytes))
        });
        let report = waiting.end(py, result)?;
        let missing = report.missing_references.iter().map(ToString::to_string).collect();
        Ok((report.root.into_os_string(), missing))
    }

    /// Brings one file to this disk; answers its path.
    fn download_file(
        &self,
        py: Python<'_>,
        path: &str,
        root: Option<PathBuf>,
        skip_cache: bool,
        shows_progress: bool,
    ) -> PyResult<OsString> {
        let path: FilePath = path.parse().map_err(|error| to_exception(py, &steplog::Error::from(error)))?;
        let options = DownloadOptions { root, skip_cache, ..DownloadOptions::default() };
        let mut waiting = Waiting::new("downloading", shows_progress);
        let result = py.detach(|| {
            self.artifact.download_file_watched(&path, &options, &mut |progress| {
                waiting.goes_on(progress.done_bytes, progress.total_bytes)
            })
        });
        Ok(waiting.end(py, result)?.into_os_string())
    }

    /// Makes a folder what the version is.
    fn checkout(&self, py: Python<'_>, root: PathBuf, shows_progress: bool) -> PyResult<OsString> {
        let mut waiting = Waiting::new("downloading", shows_progress);
        let result = py.detach(|| {
            self.artifact
                .checkout_watched(&root, &mut |progress| waiting.goes_on(progress.done_bytes, progress.total_bytes))
        });
        Ok(waiting.end(py, result)?.root.into_os_string())
    }

    /// How a folder differs from the version: what is missing, what has changed, what else is there.
    fn verify<'py>(&self, py: Python<'py>, root: PathBuf, shows_progress: bool) -> PyResult<Bound<'py, PyAny>> {
        let mut waiting = Waiting::new("comparing", shows_progress);
        let result = py.detach(|| {
            self.artifact
                .verify_watched(&root, &mut |progress| waiting.goes_on(progress.done_bytes, progress.total_bytes))
        });
        json_to_python(py, &waiting.end(py, result)?)
    }

    fn save(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.artifact.save()).map_err(|error| to_exception(py, &error))
    }

    fn delete(&self, py: Python<'_>, delete_aliases: bool) -> PyResult<()> {
        py.detach(|| self.artifact.delete(delete_aliases)).map_err(|error| to_exception(py, &error))
    }

    fn link(&self, py: Python<'_>, target: &str, aliases: Vec<String>) -> PyResult<Self> {
        let artifact = py.detach(|| self.artifact.link(target, &aliases)).map_err(|error| to_exception(py, &error))?;
        Ok(Self { artifact })
    }

    fn unlink(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.artifact.unlink()).map_err(|error| to_exception(py, &error))
    }

    fn is_link(&self, py: Python<'_>) -> PyResult<bool> {
        self.artifact.is_link().map_err(|error| to_exception(py, &error))
    }

    /// Its page on the server.
    fn url(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.artifact.url().map_err(|error| to_exception(py, &error))
    }

    /// The run that made it.
    fn logged_by<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_to_python(py, &self.artifact.logged_by().map_err(|error| to_exception(py, &error))?)
    }

    /// The runs that used it.
    fn used_by<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_to_python(py, &ask(py, || self.artifact.used_by())?)
    }

    /// The server that has it; `None` for what is on this disk alone.
    fn api(&self, py: Python<'_>) -> PyResult<Option<NativeApi>> {
        let api = self.artifact.api().map_err(|error| to_exception(py, &error))?;
        Ok(api.map(|api| NativeApi { api }))
    }

    /// The collection that it is a version of.
    fn collection_of(&self, py: Python<'_>) -> PyResult<NativeCollection> {
        NativeCollection::of_version(py, &self.artifact)
    }

    fn new_draft(&self, py: Python<'_>) -> PyResult<Self> {
        let artifact = py.detach(|| self.artifact.new_draft()).map_err(|error| to_exception(py, &error))?;
        Ok(Self { artifact })
    }
}

#[pymethods]
impl NativeNewFile {
    /// Where it is to be written.
    #[getter]
    fn place(&self) -> PyResult<PathBuf> {
        self.with(|file| Ok(file.as_ref().map(|file| file.place().to_owned())))?.ok_or_else(gone)
    }

    /// Adds what was written.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let file = self.with(|file| Ok(file.take()))?.ok_or_else(gone)?;
        let path = file.path().clone();
        let entry = py.detach(|| file.finish()).map_err(|error| to_exception(py, &error))?;
        entry_dict(py, &path, &entry)
    }

    /// Leaves no trace of it.
    fn give_up(&self) -> PyResult<()> {
        self.with(|file| {
            drop(file.take());
            Ok(())
        })
    }
}

impl NativeNewFile {
    fn with<T>(&self, use_it: impl FnOnce(&mut Option<NewFile>) -> PyResult<T>) -> PyResult<T> {
        use_it(&mut self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn gone() -> PyErr {
    PyValueError::new_err("the file was added or given up")
}

fn add_options(immutable: bool, overwrite: bool) -> AddOptions {
    let policy = if immutable { AddPolicy::Immutable } else { AddPolicy::Mutable };
    AddOptions { policy, overwrite }
}

/// An entry of a manifest.
fn entry_dict<'py>(py: Python<'py>, path: &FilePath, entry: &ManifestEntry) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("path", path.as_str())?;
    dict.set_item("digest", entry.digest())?;
    dict.set_item("size", entry.size_bytes)?;
    dict.set_item("sha256", entry.sha256().map(|hash| hash.to_string()))?;
    dict.set_item("ref", entry.uri())?;
    if let Source::Reference { extra, .. } = &entry.source {
        dict.set_item("extra", json_to_python(py, extra)?)?;
    }
    Ok(dict)
}
