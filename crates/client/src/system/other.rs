//! The machine as macOS and Windows tell of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use sysinfo::{
    CpuRefreshKind, Disk, Disks, MemoryRefreshKind, Networks, Pid, Process, ProcessRefreshKind, ProcessesToUpdate,
    RefreshKind, System,
};

use super::Values;
use super::nvidia::Nvidia;
use super::rate::Rate;

/// Everything that is sampled, and what it was before.
pub(crate) struct Machine {
    /// What cannot be asked is left out.
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    folder: PathBuf,
    nvidia: Option<Nvidia>,
    process_seconds: Rate,
    disk_read: Rate,
    disk_written: Rate,
    received: Rate,
    sent: Rate,
}

impl Machine {
    /// Looks for GPUs, which may take a while.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        Self {
            system: System::new_with_specifics(kinds).ok(),
            disks: Disks::new_with_refreshed_list().ok(),
            networks: Networks::new_with_refreshed_list().ok(),
            folder,
            nvidia: Nvidia::open(),
            process_seconds: Rate::default(),
            disk_read: Rate::default(),
            disk_written: Rate::default(),
            received: Rate::default(),
            sent: Rate::default(),
        }
    }

    /// Values now; what is counted over time, since the call before.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2⁵³ are exact")]
    pub(crate) fn sample(&mut self, at: Instant) -> Values {
        let mut values = Values::default();
        let mut ids = HashSet::new();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            let kinds = ProcessRefreshKind::nothing().with_cpu().with_memory();
            system.refresh_processes_specifics(ProcessesToUpdate::All, true, kinds);
            let own = processes(system);
            ids.extend(own.iter().map(|process| process.pid().as_u32()));
            values.add("cpu.percent", Some(f64::from(system.global_cpu_usage())));
            let seconds: f64 = own.iter().map(|process| process.accumulated_cpu_time() as f64 / 1e3).sum();
            let cpus = system.cpus().len().max(1) as f64;
            let busy = self.process_seconds.follow(at, Some(seconds));
            values.add("cpu.process.percent", busy.map(|busy| 100.0 * busy / cpus));
            let (used, all) = (system.used_memory() as f64, system.total_memory() as f64);
            values.add("memory.percent", Some(100.0 * used / all));
            values.add("memory.bytes", Some(used));
            values.add("memory.process.bytes", Some(own.iter().map(|process| process.memory() as f64).sum()));
        }
        if let Some(disks) = &mut self.disks {
            disks.refresh(true);
            let disk = disk_of(disks, &self.folder);
            let space = disk.map(|disk| (disk.total_space() as f64, disk.available_space() as f64));
            values.add("disk.percent", space.map(|(all, free)| 100.0 * (all - free) / all));
            values.add("disk.bytes", space.map(|(all, free)| all - free));
            let (read, written) = disks.iter().map(Disk::usage).fold((0.0, 0.0), |(read, written), usage| {
                (read + usage.total_read_bytes as f64, written + usage.total_written_bytes as f64)
            });
            values.add("disk.read.bytes_per_second", self.disk_read.follow(at, Some(read)));
            values.add("disk.written.bytes_per_second", self.disk_written.follow(at, Some(written)));
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
            let is_loopback = |name: &str| name.starts_with("lo") || name.contains("Loopback");
            let others = networks.iter().filter(|(name, _)| !is_loopback(&name.to_string_lossy()));
            let (received, sent) = others.fold((0.0, 0.0), |(received, sent), (_, data)| {
                (received + data.total_received() as f64, sent + data.total_transmitted() as f64)
            });
            values.add("network.received.bytes_per_second", self.received.follow(at, Some(received)));
            values.add("network.sent.bytes_per_second", self.sent.follow(at, Some(sent)));
        }
        let loads = self.nvidia.as_ref().map(|nvidia| nvidia.loads(&ids)).unwrap_or_default();
        loads.iter().enumerate().for_each(|(number, load)| load.add_to(&mut values, number));
        values
    }
}

/// This process and all below it.
fn processes(system: &System) -> Vec<&Process> {
    let mut children: HashMap<Pid, Vec<&Process>> = HashMap::new();
    for process in system.processes().values() {
        if let Some(parent) = process.parent() {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut own: Vec<&Process> = system.process(Pid::from_u32(std::process::id())).into_iter().collect();
    let mut at = 0;
    while let Some(process) = own.get(at) {
        own.extend(children.remove(&process.pid()).unwrap_or_default());
        at += 1;
    }
    own
}

/// The disk that a folder lies on.
fn disk_of<'a>(disks: &'a Disks, folder: &Path) -> Option<&'a Disk> {
    let holds = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    holds.max_by_key(|disk| disk.mount_point().components().count())
}
