//! The machine as macOS and Windows tell of it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
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
    system: System,
    disks: Disks,
    networks: Networks,
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
            .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        Self {
            system: System::new_with_specifics(kinds),
            disks: Disks::new_with_refreshed_list(),
            networks: Networks::new_with_refreshed_list(),
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
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let kinds = ProcessRefreshKind::nothing().with_cpu().with_memory();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, kinds);
        self.disks.refresh(true);
        self.networks.refresh(true);
        let own = self.processes();
        values.add("cpu.percent", Some(f64::from(self.system.global_cpu_usage())));
        let seconds: f64 = own.iter().map(|process| process.accumulated_cpu_time() as f64 / 1e3).sum();
        let cpus = self.system.cpus().len().max(1) as f64;
        let busy = self.process_seconds.follow(at, Some(seconds));
        values.add("cpu.process.percent", busy.map(|busy| 100.0 * busy / cpus));
        let (used, all) = (self.system.used_memory() as f64, self.system.total_memory() as f64);
        values.add("memory.percent", Some(100.0 * used / all));
        values.add("memory.bytes", Some(used));
        values.add("memory.process.bytes", Some(own.iter().map(|process| process.memory() as f64).sum()));
        let space = self.disk().map(|disk| (disk.total_space() as f64, disk.available_space() as f64));
        values.add("disk.percent", space.map(|(all, free)| 100.0 * (all - free) / all));
        values.add("disk.bytes", space.map(|(all, free)| all - free));
        let usage = self.disks.iter().map(Disk::usage);
        let (read, written) = usage.fold((0.0, 0.0), |(read, written), usage| {
            (read + usage.total_read_bytes as f64, written + usage.total_written_bytes as f64)
        });
        let is_loopback = |name: &str| name == "lo" || name.starts_with("lo0") || name.contains("Loopback");
        let interfaces = self.networks.iter().filter(|(name, _)| !is_loopback(name));
        let (received, sent) = interfaces.fold((0.0, 0.0), |(received, sent), (_, data)| {
            (received + data.total_received() as f64, sent + data.total_transmitted() as f64)
        });
        let ids: HashSet<u32> = own.iter().map(|process| process.pid().as_u32()).collect();
        values.add("disk.read.bytes_per_second", self.disk_read.follow(at, Some(read)));
        values.add("disk.written.bytes_per_second", self.disk_written.follow(at, Some(written)));
        values.add("network.received.bytes_per_second", self.received.follow(at, Some(received)));
        values.add("network.sent.bytes_per_second", self.sent.follow(at, Some(sent)));
        let loads = self.nvidia.as_ref().map(|nvidia| nvidia.loads(&ids)).unwrap_or_default();
        loads.iter().enumerate().for_each(|(number, load)| load.add_to(&mut values, number));
        values
    }

    /// This process and all below it.
    fn processes(&self) -> Vec<&Process> {
        let mut children: HashMap<Pid, Vec<&Process>> = HashMap::new();
        for process in self.system.processes().values() {
            if let Some(parent) = process.parent() {
                children.entry(parent).or_default().push(process);
            }
        }
        let mut own: Vec<&Process> = self.system.process(Pid::from_u32(std::process::id())).into_iter().collect();
        let mut at = 0;
        while let Some(process) = own.get(at) {
            own.extend(children.remove(&process.pid()).unwrap_or_default());
            at += 1;
        }
        own
    }

    /// The disk that the run's folder lies on.
    fn disk(&self) -> Option<&Disk> {
        let holds = self.disks.iter().filter(|disk| self.folder.starts_with(disk.mount_point()));
        holds.max_by_key(|disk| disk.mount_point().components().count())
    }
}
