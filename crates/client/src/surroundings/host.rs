//! The machine, who runs on it, and the job of a batch system.

use serde_json::{Map, Value as Json, json};

use super::Variables;
use crate::redact::Redactor;

/// Longest text of a variable that is kept.
const LONGEST_TEXT: usize = 1000;

/// Batch systems: name, and the variables of a job's number, its part of an array, its machines, the rank of the process,
/// and how many there are.
const SCHEDULERS: [(&str, [&str; 5]); 5] = [
    ("slurm", ["SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_NODELIST", "SLURM_PROCID", "SLURM_NTASKS"]),
    ("pbs", ["PBS_JOBID", "PBS_ARRAY_INDEX", "", "", "PBS_NP"]),
    ("lsf", ["LSB_JOBID", "LSB_JOBINDEX", "LSB_HOSTS", "", "LSB_DJOB_NUMPROC"]),
    ("flux", ["FLUX_JOB_ID", "", "", "FLUX_TASK_RANK", "FLUX_JOB_SIZE"]),
    ("ray", ["RAY_JOB_ID", "", "", "", ""]),
];

/// What can be said of the machine, as members of a run's environment.
pub(crate) fn members(variables: &Variables, redactor: &Redactor) -> Map<String, Json> {
    let mut members = machine();
    let count = std::thread::available_parallelism().ok().map(std::num::NonZero::get);
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| variables.text(name));
    members.extend(count.map(|count| ("cpu_count".to_owned(), json!(count))));
    members.extend(user.map(|user| ("user".to_owned(), json!(redactor.text(user)))));
    let job = job(variables, redactor);
    members.extend((!job.is_empty()).then(|| ("job".to_owned(), Json::Object(job))));
    members
}

/// `{scheduler, id, array_index, nodes, rank, world_size}`, as far as the environment says; rank and size also where a
/// launcher such as `torchrun` says them.
fn job(variables: &Variables, redactor: &Redactor) -> Map<String, Json> {
    let mut job = Map::new();
    let text = |name: &str| {
        let text = variables.text(name).filter(|text| !name.is_empty() && text.len() <= LONGEST_TEXT)?;
        Some(redactor.text(text))
    };
    let found = SCHEDULERS.iter().find(|(_, names)| text(names[0]).is_some());
    if let Some((scheduler, [id, index, nodes, _, _])) = found {
        job.insert("scheduler".into(), json!(scheduler));
        let members = [("id", id), ("array_index", index), ("nodes", nodes)];
        job.extend(members.into_iter().filter_map(|(name, variable)| Some((name.into(), json!(text(variable)?)))));
    }
    let number = |names: [&str; 2]| names.iter().find_map(|name| variables.text(name)?.parse::<u64>().ok());
    let of_scheduler = |index: usize| found.map_or("", |(_, names)| names[index]);
    let members =
        [("rank", number(["RANK", of_scheduler(3)])), ("world_size", number(["WORLD_SIZE", of_scheduler(4)]))];
    job.extend(members.into_iter().filter_map(|(name, value)| Some((name.into(), json!(value?)))));
    job
}

#[cfg(target_os = "linux")]
fn machine() -> Map<String, Json> {
    of_tree(&crate::system::Tree::of_machine())
}

/// What the files of a Linux machine say.
#[cfg(target_os = "linux")]
fn of_tree(tree: &crate::system::Tree) -> Map<String, Json> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are whole and not negative")]
    let memory = crate::system::memory_bytes(tree).map(|bytes| json!(bytes as u64));
    let release = tree.text("etc/os-release").unwrap_or_default();
    let pretty = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let members = [
        ("cpu_model", crate::system::cpu_model(tree).map(Json::from)),
        ("memory_bytes", memory),
        ("distribution", pretty.map(|name| json!(name.trim_matches('"')))),
        ("container", container(tree).map(Json::from)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What the process is shut into, if a file says so.
#[cfg(target_os = "linux")]
fn container(tree: &crate::system::Tree) -> Option<&'static str> {
    let signs = [
        ("run/secrets/kubernetes.io", "kubernetes"),
        ("var/run/secrets/kubernetes.io", "kubernetes"),
        ("run/.containerenv", "podman"),
        (".dockerenv", "docker"),
        (".singularity.d", "apptainer"),
    ];
    signs.iter().find(|(path, _)| tree.exists(path)).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Map<String, Json> {
    use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
    let kinds =
        RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(kinds).ok();
    let cpu = system.as_ref().and_then(|system| system.cpus().first());
    let model = cpu.map(|cpu| cpu.brand().trim().to_owned()).filter(|model| !model.is_empty());
    let members = [
        ("cpu_model", model.map(Json::from)),
        ("memory_bytes", system.map(|system| json!(system.total_memory()))),
        ("distribution", System::long_os_version().ok().map(Json::from)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables(pairs.iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    #[test]
    fn a_job_is_told_by_named_variables_alone() {
        let of = |pairs: &[(&str, &str)]| {
            let variables = variables(pairs);
            Json::Object(job(&variables, &variables.redactor()))
        };
        let slurm = of(&[
            ("SLURM_JOB_ID", "812"),
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_JOB_NODELIST", "node[1-2]"),
            ("SLURM_PROCID", "5"),
            ("SLURM_NTASKS", "8"),
            ("SLURM_JWT", "secret of the cluster"),
        ]);
        let expected = json!({
            "scheduler": "slurm", "id": "812", "array_index": "3", "nodes": "node[1-2]", "rank": 5, "world_size": 8,
        });
        assert_eq!(slurm, expected);
        assert_eq!(of(&[("RANK", "1"), ("WORLD_SIZE", "many")]), json!({"rank": 1}));
        assert_eq!(of(&[("SLURM_PROCID", "5"), ("HOME", "/")]), json!({}));
        let hidden = of(&[("PBS_JOBID", "has my secret in it"), ("MY_TOKEN", "my secret")]);
        assert_eq!(hidden, json!({"scheduler": "pbs", "id": "has [redacted] in it"}));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_machine_is_told_by_its_files() {
        let (_folder, tree) = crate::system::fixture::tree(&[
            ("proc/cpuinfo", "model name : A CPU\n"),
            ("proc/meminfo", "MemTotal: 4 kB\nMemAvailable: 1 kB\n"),
            ("etc/os-release", "NAME=x\nPRETTY_NAME=\"An OS 12\"\n"),
            (".dockerenv", ""),
        ]);
        let expected = json!({
            "cpu_model": "A CPU", "memory_bytes": 4096, "distribution": "An OS 12", "container": "docker",
        });
        assert_eq!(Json::Object(of_tree(&tree)), expected);
        let (_folder, tree) = crate::system::fixture::tree(&[]);
        assert_eq!(of_tree(&tree), Map::new());
    }
}
