//! GPUs of AMD, as their driver shows them in `/sys`.

use super::Tree;
use crate::system::gpu::{Gpu, GpuLoad};

const CARDS: &str = "sys/class/drm";

/// How PCI calls AMD.
const VENDOR: &str = "0x1002";

/// The folders of the GPUs' devices, by number.
pub(crate) fn cards(tree: &Tree) -> Vec<String> {
    let number = |name: &str| name.strip_prefix("card")?.parse::<u32>().ok();
    let mut numbers: Vec<u32> = tree.names(CARDS).iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    let devices = numbers.into_iter().map(|number| format!("{CARDS}/card{number}/device"));
    devices.filter(|device| tree.text(format!("{device}/vendor")).as_deref() == Some(VENDOR)).collect()
}

/// What there is.
pub(crate) fn gpus(tree: &Tree) -> Vec<Gpu> {
    let gpu = |device: String| {
        let name = tree.text(format!("{device}/product_name")).filter(|name| !name.is_empty());
        let id = || tree.text(format!("{device}/device")).unwrap_or_default();
        Gpu {
            name: name.unwrap_or_else(|| format!("AMD GPU {}", id()).trim().to_owned()),
            memory_bytes: tree.number(format!("{device}/mem_info_vram_total")),
        }
    };
    cards(tree).into_iter().map(gpu).collect()
}

/// What each is busy with.
pub(crate) fn loads(tree: &Tree) -> Vec<GpuLoad> {
    cards(tree).iter().map(|device| load(tree, device)).collect()
}

fn load(tree: &Tree, device: &str) -> GpuLoad {
    let number = |name: &str| tree.number(format!("{device}/{name}"));
    let sensors = tree.names(format!("{device}/hwmon"));
    let sensor = |name: &str| sensors.iter().find_map(|sensor| number(&format!("hwmon/{sensor}/{name}")));
    GpuLoad {
        percent: number("gpu_busy_percent"),
        memory_used_bytes: number("mem_info_vram_used"),
        memory_bytes: number("mem_info_vram_total"),
        process_memory_bytes: None,
        celsius: sensor("temp1_input").map(|millidegrees| millidegrees / 1e3),
        watts: sensor("power1_average").or_else(|| sensor("power1_input")).map(|microwatts| microwatts / 1e6),
        megahertz: sensor("freq1_input").map(|hertz| hertz / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn cards_of_amd_are_read_in_the_order_of_their_numbers() {
        let (_folder, tree) = fixture::tree(&[
            ("sys/class/drm/version", "drm"),
            ("sys/class/drm/card0/device/vendor", "0x8086\n"),
            ("sys/class/drm/card10/device/vendor", "0x1002\n"),
            ("sys/class/drm/card10/device/device", "0x740f\n"),
            ("sys/class/drm/card2/device/vendor", "0x1002\n"),
            ("sys/class/drm/card2/device/product_name", "Instinct MI210\n"),
            ("sys/class/drm/card2/device/gpu_busy_percent", "37\n"),
            ("sys/class/drm/card2/device/mem_info_vram_used", "1000\n"),
            ("sys/class/drm/card2/device/mem_info_vram_total", "4000\n"),
            ("sys/class/drm/card2/device/hwmon/hwmon3/temp1_input", "51500\n"),
            ("sys/class/drm/card2/device/hwmon/hwmon3/power1_average", "42000000\n"),
            ("sys/class/drm/card2/device/hwmon/hwmon3/freq1_input", "1700000000\n"),
            ("sys/class/drm/card2-DP-1/status", "connected\n"),
        ]);
        let gpus_found = gpus(&tree);
        let first = Gpu { name: "Instinct MI210".into(), memory_bytes: Some(4000.0) };
        assert_eq!(gpus_found, [first, Gpu { name: "AMD GPU 0x740f".into(), memory_bytes: None }]);
        let first = GpuLoad {
            percent: Some(37.0),
            memory_used_bytes: Some(1000.0),
            memory_bytes: Some(4000.0),
            process_memory_bytes: None,
            celsius: Some(51.5),
            watts: Some(42.0),
            megahertz: Some(1700.0),
        };
        assert_eq!(loads(&tree), [first, GpuLoad::default()]);
    }
}
