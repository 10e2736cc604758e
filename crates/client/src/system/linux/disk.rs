//! Space on a run's disk, and what the machine's disks read and write.

use std::path::Path;

use super::Tree;

/// The unit of `/proc/diskstats`, whatever that of the disk.
const SECTOR_BYTES: f64 = 512.0;

/// Used bytes and all that can be used, as `df` counts them, on the disk of a folder.
pub(crate) fn space(folder: &Path) -> Option<(f64, f64)> {
    let space = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks as f64 * space.f_frsize as f64;
    let used = bytes(space.f_blocks.saturating_sub(space.f_bfree));
    Some((used, used + bytes(space.f_bavail)))
}

/// Bytes that were read from and written to the disks since the machine started. Parts of disks, and what is made of
/// several, do not count a second time.
pub(crate) fn transferred(tree: &Tree) -> Option<(f64, f64)> {
    let text = tree.text("proc/diskstats")?;
    let sectors = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_disk = tree.exists(format!("sys/block/{}/device", words.get(2)?.replace('/', "!")));
        let number = |index: usize| words.get(index)?.parse::<f64>().ok();
        is_disk.then_some((number(5)?, number(9)?))
    });
    let sum = |(read, written), (more_read, more_written)| (read + more_read, written + more_written);
    let (read, written) = sectors.reduce(sum)?;
    Some((read * SECTOR_BYTES, written * SECTOR_BYTES))
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn whole_disks_are_counted_once() {
        let stats = "\
   8       0 sda 1 0 100 0 1 0 10 0 0 0 0
   8       1 sda1 1 0 100 0 1 0 10 0 0 0 0
 259       0 nvme0n1 1 0 1 0 1 0 2 0 0 0 0 0 0
   7       0 loop0 1 0 1000 0 1 0 1000 0 0 0 0
 253       0 dm-0 1 0 100 0 1 0 10 0 0 0 0
";
        let files = [
            ("proc/diskstats", stats),
            ("sys/block/sda/device/model", ""),
            ("sys/block/nvme0n1/device/model", ""),
            ("sys/block/dm-0/size", ""),
        ];
        let (_folder, tree) = fixture::tree(&files);
        assert_eq!(transferred(&tree), Some((101.0 * 512.0, 12.0 * 512.0)));
        assert_eq!(transferred(&fixture::tree(&files[..1]).1), None);
    }

    #[test]
    fn a_folder_lies_on_a_disk() {
        let (used, all) = space(&std::env::temp_dir()).unwrap();
        assert!(0.0 < used && used <= all, "{used} of {all}");
        assert_eq!(space(Path::new("/nowhere/at/all")), None);
    }
}
