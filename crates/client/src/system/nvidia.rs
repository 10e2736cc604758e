//! GPUs of NVIDIA, through the library that comes with their driver. It is looked for when a run begins; where it is not,
//! nothing is said.

use std::collections::HashSet;

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;

use super::gpu::{Gpu, GpuLoad};

/// The driver's library, opened.
pub(crate) struct Nvidia {
    nvml: Nvml,
}

impl Nvidia {
    /// `None` without driver or GPUs.
    pub(crate) fn open() -> Option<Self> {
        Self::with(Nvml::init().ok()?)
    }

    fn with(nvml: Nvml) -> Option<Self> {
        let nvidia = Self { nvml };
        (nvidia.count() > 0).then_some(nvidia)
    }

    fn count(&self) -> u32 {
        self.nvml.device_count().unwrap_or_default()
    }

    /// What there is, in the order of the numbers.
    pub(crate) fn gpus(&self) -> Vec<Gpu> {
        let gpu = |index| {
            let device = self.nvml.device_by_index(index).ok();
            let name = device.as_ref().and_then(|device| device.name().ok());
            #[expect(clippy::cast_precision_loss, reason = "sizes below 2⁵³ are exact")]
            let memory_bytes = device.and_then(|device| device.memory_info().ok()).map(|memory| memory.total as f64);
            Gpu { name: name.unwrap_or_else(|| "NVIDIA GPU".into()), memory_bytes }
        };
        (0..self.count()).map(gpu).collect()
    }

    /// What each is busy with. `processes` are those whose memory counts as the run's.
    pub(crate) fn loads(&self, processes: &HashSet<u32>) -> Vec<GpuLoad> {
        (0..self.count()).map(|index| self.load(index, processes).unwrap_or_default()).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes below 2⁵³ are exact")]
    fn load(&self, index: u32, processes: &HashSet<u32>) -> Option<GpuLoad> {
        let device = self.nvml.device_by_index(index).ok()?;
        let memory = device.memory_info().ok();
        let running = device.running_compute_processes().ok();
        let of_process = running.map(|running| {
            let own = running.iter().filter(|process| processes.contains(&process.pid));
            own.map(|process| match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => bytes as f64,
                UsedGpuMemory::Unavailable => 0.0,
            })
            .sum()
        });
        Some(GpuLoad {
            percent: device.utilization_rates().ok().map(|rates| f64::from(rates.gpu)),
            memory_used_bytes: memory.as_ref().map(|memory| memory.used as f64),
            memory_bytes: memory.map(|memory| memory.total as f64),
            process_memory_bytes: of_process,
            celsius: device.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
            watts: device.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1000.0),
            megahertz: device.clock_info(Clock::Graphics).ok().map(f64::from),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;

    /// Two GPUs, the second of which tells little, as a driver that exports what is asked for here.
    const DRIVER: &str = r#"
#include <stdio.h>
#include <string.h>
typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct { u32 version; u64 total, reserved, free, used; } memory_v2;
typedef struct { u32 gpu, memory; } utilization;
typedef struct { u32 pid; u64 used; u32 instance, compute; } process;
enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, TOO_SMALL = 7 };
static int number(void *device) { return (int)((char *)device - (char *)0x1000); }
int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }
int nvmlDeviceGetCount_v2(u32 *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(u32 index, void **device) {
    if (index > 1) return INVALID;
    *device = (char *)0x1000 + index;
    return OK;
}
int nvmlDeviceGetName(void *device, char *name, u32 length) {
    snprintf(name, length, "Fake A%d00", number(device) + 1);
    return OK;
}
int nvmlDeviceGetMemoryInfo_v2(void *device, memory_v2 *memory) {
    memory->total = 80000; memory->reserved = 1000; memory->free = 59000; memory->used = 20000;
    return number(device) ? UNSUPPORTED : OK;
}
int nvmlDeviceGetUtilizationRates(void *device, utilization *rates) {
    rates->gpu = 75 + number(device); rates->memory = 10;
    return OK;
}
int nvmlDeviceGetTemperature(void *device, int sensor, u32 *celsius) {
    *celsius = 61;
    return number(device) || sensor ? UNSUPPORTED : OK;
}
int nvmlDeviceGetPowerUsage(void *device, u32 *milliwatts) { *milliwatts = 250500; return number(device) ? UNSUPPORTED : OK; }
int nvmlDeviceGetClockInfo(void *device, int clock, u32 *megahertz) { *megahertz = 1410; return number(device) || clock ? UNSUPPORTED : OK; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, u32 *count, process *processes) {
    if (number(device)) return UNSUPPORTED;
    u32 room = *count;
    *count = 3;
    if (room < 3) return TOO_SMALL;
    for (u32 i = 0; i < 3; i++) processes[i] = (process){ 100 + i, 1000 * (i + 1), 0xFFFFFFFF, 0xFFFFFFFF };
    return OK;
}
"#;

    fn built(folder: &Path) -> PathBuf {
        let (source, library) = (folder.join("driver.c"), folder.join("libnvidia-ml.so.1"));
        std::fs::write(&source, DRIVER).expect("a temporary folder can be written");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
        assert!(compiled.expect("a C compiler, which also links Rust").success());
        library
    }

    #[test]
    fn what_the_driver_says_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let library = built(folder.path());
        let nvidia = Nvidia::with(Nvml::builder().lib_path(library.as_os_str()).init().unwrap()).unwrap();
        let gpus = [
            Gpu { name: "Fake A100".into(), memory_bytes: Some(80_000.0) },
            Gpu { name: "Fake A200".into(), memory_bytes: None },
        ];
        assert_eq!(nvidia.gpus(), gpus);
        let first = GpuLoad {
            percent: Some(75.0),
            memory_used_bytes: Some(20_000.0),
            memory_bytes: Some(80_000.0),
            process_memory_bytes: Some(4000.0),
            celsius: Some(61.0),
            watts: Some(250.5),
            megahertz: Some(1410.0),
        };
        let second = GpuLoad { percent: Some(76.0), ..GpuLoad::default() };
        assert_eq!(nvidia.loads(&HashSet::from([100, 102, 7])), [first, second]);
    }

    #[test]
    fn a_missing_driver_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Nvml::builder().lib_path(folder.path().join("libnvidia-ml.so.1").as_os_str()).init().is_err());
    }
}
