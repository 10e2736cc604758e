//! The machine as Linux tells of it, in `/proc` and `/sys`.

mod amd;
mod cgroup;
mod cpu;
mod disk;
mod memory;
mod network;
mod process;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Values;
use super::gpu::Gpu;
use super::nvidia::Nvidia;
use super::rate::Rate;
use cgroup::Groups;
use cpu::Cpu;
use memory::Memory;
use process::ProcessTree;

/// The root of the file system, or for tests a folder that stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The file system of this machine.
    pub(crate) fn of_machine() -> Self {
        Self::new("/")
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// The text of a file, without white space around it.
    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        // Names in /proc may be of any bytes.
        let bytes = std::fs::read(self.path(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn number(&self, path: impl AsRef<Path>) -> Option<f64> {
        self.text(path)?.parse().ok()
    }

    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// Names in a folder, sorted.
    fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// The value of a line `name value` or `name: value`.
    fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        text.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([':', ' ', '\t']).then(|| rest.trim_start_matches(':').trim())
        })
    }
}

/// Everything that is sampled, and what it was before.
pub(crate) struct Machine {
    tree: Tree,
    process_id: u32,
    /// Of the run, whose disk counts.
    folder: PathBuf,
    nvidia: Option<Nvidia>,
    /// Whether there is a GPU of AMD.
    has_amd: bool,
    cpu: Cpu,
    process_seconds: Rate,
    disk_read: Rate,
    disk_written: Rate,
    received: Rate,
    sent: Rate,
}

impl Machine {
    /// Looks for GPUs, which may take a while.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { nvidia: Nvidia::open(), ..Self::of(Tree::of_machine(), std::process::id(), folder) }
    }

    fn of(tree: Tree, process_id: u32, folder: PathBuf) -> Self {
        Self {
            has_amd: !amd::cards(&tree).is_empty(),
            tree,
            process_id,
            folder,
            nvidia: None,
            cpu: Cpu::default(),
            process_seconds: Rate::default(),
            disk_read: Rate::default(),
            disk_written: Rate::default(),
            received: Rate::default(),
            sent: Rate::default(),
        }
    }

    /// Values now; what is counted over time, since the call before.
    pub(crate) fn sample(&mut self, at: Instant) -> Values {
        let mut values = Values::default();
        let tree = &self.tree;
        let groups = Groups::of_process(tree);
        let cpus = cpu::usable(tree, &groups);
        values.add("cpu.percent", self.cpu.percent(tree, &groups, at));
        let processes = ProcessTree::of(tree, self.process_id);
        let busy = self.process_seconds.follow(at, processes.cpu_seconds());
        values.add("cpu.process.percent", busy.zip(cpus).map(|(busy, cpus)| 100.0 * busy / cpus));
        let memory = Memory::of(tree, &groups);
        values.add("memory.percent", memory.as_ref().map(|memory| 100.0 * memory.used_bytes / memory.bytes));
        values.add("memory.bytes", memory.map(|memory| memory.used_bytes));
        values.add("memory.process.bytes", processes.memory_bytes());
        values.add("process.threads", processes.threads());
        let space = disk::space(&self.folder);
        values.add("disk.percent", space.map(|(used, all)| 100.0 * used / all));
        values.add("disk.bytes", space.map(|(used, _)| used));
        let (read, written) = disk::transferred(tree).unzip();
        values.add("disk.read.bytes_per_second", self.disk_read.follow(at, read));
        values.add("disk.written.bytes_per_second", self.disk_written.follow(at, written));
        let (received, sent) = network::transferred(tree).unzip();
        values.add("network.received.bytes_per_second", self.received.follow(at, received));
        values.add("network.sent.bytes_per_second", self.sent.follow(at, sent));
        let mut loads = match &self.nvidia {
            Some(nvidia) => nvidia.loads(&processes.ids().collect::<HashSet<_>>()),
            None => Vec::new(),
        };
        if self.has_amd {
            loads.extend(amd::loads(tree));
        }
        for (number, load) in loads.iter().enumerate() {
            load.add_to(&mut values, number);
        }
        values
    }
}

/// Model of the CPU.
pub(crate) fn cpu_model(tree: &Tree) -> Option<String> {
    cpu::model(tree)
}

/// How much memory this process may use.
pub(crate) fn memory_bytes(tree: &Tree) -> Option<f64> {
    Memory::of(tree, &Groups::of_process(tree)).map(|memory| memory.bytes)
}

/// The GPUs of AMD in this machine.
pub(crate) fn amd_gpus() -> Vec<Gpu> {
    amd::gpus(&Tree::of_machine())
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Files that stand for a machine.

    use super::Tree;

    /// A folder with these files, by path.
    pub(crate) fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new(folder.path());
        write(&tree, files);
        (folder, tree)
    }

    pub(crate) fn write(tree: &Tree, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = tree.path(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_machine_with_everything_is_sampled() {
        let (_folder, tree) = fixture::tree(&[
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/status", "Name:\tpython\nCpus_allowed_list:\t0-1\n"),
            ("proc/stat", "cpu  0\ncpu0 100 0 0 100 0 0 0 0 0 0\ncpu1 100 0 0 100 0 0 0 0 0 0\n"),
            ("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n"),
            ("proc/7/stat", "7 (python) S 1 7 7 0 -1 0 0 0 0 0 100 50 0 0 20 0 3 0 5 0 0"),
            ("proc/7/statm", "100 10 4 0 0 0 0"),
            ("proc/7/task/7/children", ""),
            ("proc/diskstats", " 8 0 sda 1 0 100 0 1 0 200 0 0 0 0\n"),
            ("sys/block/sda/device/model", "disk"),
            ("proc/net/dev", "Inter-| Receive\n face |bytes\n  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n"),
        ]);
        let mut machine = Machine::of(tree.clone(), 7, "/".into());
        let begin = Instant::now();
        let first = machine.sample(begin).0;
        let keys: Vec<_> = first.iter().map(|(key, _)| &**key).collect();
        assert_eq!(
            keys,
            ["memory.percent", "memory.bytes", "memory.process.bytes", "process.threads", "disk.percent", "disk.bytes"]
        );
        fixture::write(
            &tree,
            &[
                ("proc/stat", "cpu  0\ncpu0 200 0 0 100 0 0 0 0 0 0\ncpu1 100 0 0 200 0 0 0 0 0 0\n"),
                ("proc/7/stat", "7 (python) S 1 7 7 0 -1 0 0 0 0 0 200 150 0 0 20 0 3 0 5 0 0"),
                ("proc/diskstats", " 8 0 sda 1 0 110 0 1 0 220 0 0 0 0\n"),
                ("proc/net/dev", "Inter-| Receive\n face |bytes\n  eth0: 1500 1 0 0 0 0 0 0 2100 1 0 0 0 0 0 0\n"),
            ],
        );
        let second = machine.sample(begin + Duration::from_secs(2)).0;
        let found: Vec<_> =
            second.iter().map(|(key, value)| (&**key, *value)).filter(|(key, _)| !key.starts_with("disk.p")).collect();
        let page = f64::from(u32::try_from(rustix::param::page_size()).unwrap());
        let disk = second.iter().find(|(key, _)| &**key == "disk.bytes").unwrap().1;
        assert!(disk > 0.0);
        let expected = [
            ("cpu.percent", 50.0),
            // Two seconds of CPU in two seconds, on two CPUs; ticks are a hundredth of a second.
            ("cpu.process.percent", 50.0),
            ("memory.percent", 75.0),
            ("memory.bytes", 750.0 * 1024.0),
            ("memory.process.bytes", 10.0 * page),
            ("process.threads", 3.0),
            ("disk.bytes", disk),
            ("disk.read.bytes_per_second", 2560.0),
            ("disk.written.bytes_per_second", 5120.0),
            ("network.received.bytes_per_second", 250.0),
            ("network.sent.bytes_per_second", 50.0),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_machine_that_tells_nothing_has_no_values_but_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut machine = Machine::of(Tree::new(folder.path()), 7, folder.path().into());
        machine.sample(Instant::now());
        let values = machine.sample(Instant::now() + Duration::from_secs(1)).0;
        assert_eq!(values.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["disk.percent", "disk.bytes"]);
    }

    #[test]
    fn this_machine_can_be_sampled() {
        let mut machine = Machine::new(std::env::temp_dir());
        let begin = Instant::now();
        machine.sample(begin);
        let values = machine.sample(begin + Duration::from_secs(1)).0;
        let value = |name: &str| values.iter().find(|(key, _)| &**key == name).map(|(_, value)| *value);
        for (name, least, most) in [
            ("cpu.process.percent", 0.0, 1e6),
            ("memory.percent", 0.1, 100.0),
            ("memory.process.bytes", 1e5, 1e12),
            ("process.threads", 1.0, 1e5),
            ("disk.percent", 0.0, 100.0),
        ] {
            assert!(value(name).is_some_and(|value| (least..=most).contains(&value)), "{name}: {values:?}");
        }
    }
}
