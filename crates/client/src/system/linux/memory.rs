//! Memory of the machine, or of the control group when that is limited.

use super::Tree;
use super::cgroup::Groups;

/// How much there is, and how much of it is used, by whoever shares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Memory {
    pub(crate) bytes: f64,
    pub(crate) used_bytes: f64,
}

impl Memory {
    pub(crate) fn of(tree: &Tree, groups: &Groups) -> Option<Self> {
        let text = tree.text("proc/meminfo").unwrap_or_default();
        let field =
            |name: &str| Some(Tree::field(&text, name)?.strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0);
        let machine = field("MemTotal").zip(field("MemAvailable"));
        let machine = machine.map(|(bytes, available)| Self { bytes, used_bytes: bytes - available });
        let limit = groups.memory_limit(tree);
        let limit = limit.filter(|limit| machine.is_none_or(|machine| limit.bytes < machine.bytes));
        limit.map(|limit| Self { bytes: limit.bytes, used_bytes: limit.used_bytes }).or(machine)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_narrower_of_machine_and_group_counts() {
        let (_folder, tree) = fixture::tree(&[("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:   40 kB\n")]);
        let machine = Memory { bytes: 102_400.0, used_bytes: 61_440.0 };
        assert_eq!(Memory::of(&tree, &Groups::default()), Some(machine));
        for (limit, expected) in [("1000", Memory { bytes: 1000.0, used_bytes: 10.0 }), ("200000", machine)] {
            let files = [
                ("proc/self/cgroup", "0::/\n"),
                ("sys/fs/cgroup/memory.max", limit),
                ("sys/fs/cgroup/memory.current", "10"),
            ];
            fixture::write(&tree, &files);
            assert_eq!(Memory::of(&tree, &Groups::of_process(&tree)), Some(expected));
        }
    }
}
