//! The limits that a container or a batch system sets, of either version of control groups.
//!
//! A process is in a group, and the group in others up to the root: the narrowest limit holds, and what counts towards it
//! is what its own group uses.

use std::path::PathBuf;

use super::Tree;

const ROOT: &str = "sys/fs/cgroup";

/// The groups of this process, innermost first, as folders below [`Tree`]'s root.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    unified: Vec<PathBuf>,
    cpu: Vec<PathBuf>,
    cpu_accounting: Vec<PathBuf>,
    memory: Vec<PathBuf>,
}

/// How much CPU a group may use, and has used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CpuLimit {
    /// CPUs; may be a fraction.
    pub(crate) cpus: f64,
    /// Seconds of CPU, since the group was made.
    pub(crate) used_seconds: Option<f64>,
}

/// How much memory a group may use, and uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MemoryLimit {
    pub(crate) bytes: f64,
    /// Without what is kept of files and can be let go.
    pub(crate) used_bytes: f64,
}

impl Groups {
    pub(crate) fn of_process(tree: &Tree) -> Self {
        let mut groups = Self::default();
        for line in tree.text("proc/self/cgroup").unwrap_or_default().lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            if controllers.is_empty() {
                let hybrid = PathBuf::from(ROOT).join("unified");
                let base = if tree.exists(&hybrid) { hybrid } else { ROOT.into() };
                groups.unified = folders(tree, base, path);
            }
            for controller in controllers.split(',') {
                // The folder is called as all that share it, or as one of them.
                let base = [controllers, controller].map(|name| PathBuf::from(ROOT).join(name));
                let base = base.into_iter().find(|base| tree.exists(base));
                let Some(found) = base.map(|base| folders(tree, base, path)) else { continue };
                match controller {
                    "cpu" => groups.cpu = found,
                    "cpuacct" => groups.cpu_accounting = found,
                    "memory" => groups.memory = found,
                    _ => {}
                }
            }
        }
        groups
    }

    /// The narrowest limit of CPU; `None` when there is none.
    pub(crate) fn cpu_limit(&self, tree: &Tree) -> Option<CpuLimit> {
        let unified = self.unified.iter().filter_map(|group| {
            let text = tree.text(group.join("cpu.max"))?;
            let (quota, period) = text.split_once(' ')?;
            let cpus = quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?;
            let stat = tree.text(group.join("cpu.stat"));
            let used = stat.and_then(|stat| Tree::field(&stat, "usage_usec")?.parse::<f64>().ok());
            Some(CpuLimit { cpus, used_seconds: used.map(|used| used / 1e6) })
        });
        let old = self.cpu.iter().enumerate().filter_map(|(depth, group)| {
            let quota = tree.number(group.join("cpu.cfs_quota_us")).filter(|quota| *quota > 0.0)?;
            let cpus = quota / tree.number(group.join("cpu.cfs_period_us"))?;
            let accounting = self.cpu_accounting.get(depth);
            let used = accounting.and_then(|group| tree.number(group.join("cpuacct.usage")));
            Some(CpuLimit { cpus, used_seconds: used.map(|used| used / 1e9) })
        });
        let limits = unified.chain(old).filter(|limit| limit.cpus > 0.0 && limit.cpus.is_finite());
        limits.min_by(|one, other| one.cpus.total_cmp(&other.cpus))
    }

    /// The narrowest limit of memory; `None` when there is none.
    pub(crate) fn memory_limit(&self, tree: &Tree) -> Option<MemoryLimit> {
        let read = |group: &PathBuf, limit: &str, used: &str, reclaimable: &str| {
            let bytes = tree.number(group.join(limit))?;
            let used = tree.number(group.join(used))?;
            let stat = tree.text(group.join("memory.stat")).unwrap_or_default();
            let files = Tree::field(&stat, reclaimable).and_then(|files| files.parse::<f64>().ok());
            Some(MemoryLimit { bytes, used_bytes: (used - files.unwrap_or_default()).max(0.0) })
        };
        let unified =
            self.unified.iter().filter_map(|group| read(group, "memory.max", "memory.current", "inactive_file"));
        let old = self
            .memory
            .iter()
            .filter_map(|group| read(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
        // No limit is a number of the size of the address space in the old version.
        let limits = unified.chain(old).filter(|limit| limit.bytes > 0.0 && limit.bytes < 2f64.powi(60));
        limits.min_by(|one, other| one.bytes.total_cmp(&other.bytes))
    }
}

/// The folders of a group and of those around it. In a container the group's own path may be that of the host, of which
/// only the inside can be seen, as the root.
fn folders(tree: &Tree, base: PathBuf, path: &str) -> Vec<PathBuf> {
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty() && *name != "..").collect();
    let folder = |depth: usize| names[..depth].iter().fold(base.clone(), |folder, name| folder.join(name));
    if !tree.exists(folder(names.len())) {
        return vec![base];
    }
    (0..=names.len()).rev().map(folder).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn limits(files: &[(&str, &str)]) -> (Option<CpuLimit>, Option<MemoryLimit>) {
        let (_folder, tree) = fixture::tree(files);
        let groups = Groups::of_process(&tree);
        (groups.cpu_limit(&tree), groups.memory_limit(&tree))
    }

    #[test]
    fn the_narrowest_limit_around_a_group_holds() {
        let found = limits(&[
            ("proc/self/cgroup", "0::/batch/job/task\n"),
            ("sys/fs/cgroup/batch/job/task/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/batch/job/task/memory.max", "max\n"),
            ("sys/fs/cgroup/batch/job/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/batch/job/cpu.stat", "usage_usec 2500000\nuser_usec 1\n"),
            ("sys/fs/cgroup/batch/job/memory.max", "4000\n"),
            ("sys/fs/cgroup/batch/job/memory.current", "3000\n"),
            ("sys/fs/cgroup/batch/job/memory.stat", "anon 1\ninactive_file 500\n"),
            ("sys/fs/cgroup/batch/cpu.max", "800000 100000\n"),
            ("sys/fs/cgroup/batch/memory.max", "9000\n"),
            ("sys/fs/cgroup/batch/memory.current", "8000\n"),
        ]);
        let cpu = CpuLimit { cpus: 1.5, used_seconds: Some(2.5) };
        assert_eq!(found, (Some(cpu), Some(MemoryLimit { bytes: 4000.0, used_bytes: 2500.0 })));
    }

    #[test]
    fn a_container_sees_its_group_as_the_root() {
        let found = limits(&[
            ("proc/self/cgroup", "0::/docker/abc\n"),
            ("sys/fs/cgroup/cpu.max", "200000 100000\n"),
            ("sys/fs/cgroup/memory.max", "1000\n"),
            ("sys/fs/cgroup/memory.current", "100\n"),
        ]);
        let cpu = CpuLimit { cpus: 2.0, used_seconds: None };
        assert_eq!(found, (Some(cpu), Some(MemoryLimit { bytes: 1000.0, used_bytes: 100.0 })));
    }

    #[test]
    fn the_old_version_is_read_too() {
        let found = limits(&[
            ("proc/self/cgroup", "12:memory:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/job\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/job/cpuacct.usage", "3000000000\n"),
            ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000\n"),
            ("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "900\n"),
            ("sys/fs/cgroup/memory/job/memory.stat", "total_inactive_file 100\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ]);
        let cpu = CpuLimit { cpus: 0.5, used_seconds: Some(3.0) };
        assert_eq!(found, (Some(cpu), Some(MemoryLimit { bytes: 1000.0, used_bytes: 800.0 })));
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(limits(&[]), (None, None));
        let found = limits(&[
            ("proc/self/cgroup", "4:cpu,cpuacct:/\n3:memory:/\n0::/\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n"),
            ("sys/fs/cgroup/unified/cpu.max", "nonsense\n"),
        ]);
        assert_eq!(found, (None, None));
    }
}
