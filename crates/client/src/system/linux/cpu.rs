//! How busy the CPUs are that this process may use.

use std::time::Instant;

use super::Tree;
use super::cgroup::Groups;
use crate::system::rate::Rate;

/// What was counted before.
#[derive(Debug, Default)]
pub(crate) struct Cpu {
    group_seconds: Rate,
    /// Ticks in which the CPUs were busy, and all.
    ticks: Option<(f64, f64)>,
}

impl Cpu {
    /// Of what the process may use, how much was used since the call before, in percent: by its control group, when that
    /// is limited to less than the CPUs that it may run on; else by whatever runs on these.
    pub(crate) fn percent(&mut self, tree: &Tree, groups: &Groups, at: Instant) -> Option<f64> {
        let allowed = allowed(tree);
        let limit = groups.cpu_limit(tree).filter(|limit| limit.cpus < allowed.len() as f64 || allowed.is_empty());
        let busy = self.group_seconds.follow(at, limit.and_then(|limit| limit.used_seconds));
        let ticks = ticks(&tree.text("proc/stat").unwrap_or_default(), &allowed);
        let before = std::mem::replace(&mut self.ticks, ticks);
        if let Some(limit) = limit {
            return busy.map(|busy| 100.0 * busy / limit.cpus);
        }
        let ((busy_before, all_before), (busy, all)) = (before?, ticks?);
        let (busy, all) = (busy - busy_before, all - all_before);
        (busy >= 0.0 && all > 0.0).then(|| 100.0 * busy / all)
    }
}

/// How many CPUs this process may use; may be a fraction.
pub(crate) fn usable(tree: &Tree, groups: &Groups) -> Option<f64> {
    let allowed = Some(allowed(tree).len() as f64).filter(|count| *count > 0.0);
    let limit = groups.cpu_limit(tree).map(|limit| limit.cpus);
    allowed.into_iter().chain(limit).min_by(f64::total_cmp)
}

/// Model of the CPU.
pub(crate) fn model(tree: &Tree) -> Option<String> {
    let text = tree.text("proc/cpuinfo")?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    let model = ["model name", "Model", "cpu model", "Hardware"].iter().find_map(|name| field(name))?;
    Some(model.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The numbers of the CPUs that this process may run on.
fn allowed(tree: &Tree) -> Vec<usize> {
    let status = tree.text("proc/self/status").unwrap_or_default();
    let list = Tree::field(&status, "Cpus_allowed_list").unwrap_or_default();
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        // A kernel knows some thousand.
        Some(first.trim().parse().ok()?..=last.trim().parse::<usize>().ok()?.min(1 << 16))
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// Ticks in which CPUs were busy, and all of their ticks; of those allowed that are there.
fn ticks(stat: &str, allowed: &[usize]) -> Option<(f64, f64)> {
    let (mut busy, mut all) = (0.0, 0.0);
    for line in stat.lines() {
        let mut words = line.split_ascii_whitespace();
        let number = words.next().and_then(|name| name.strip_prefix("cpu")?.parse::<usize>().ok());
        if !number.is_some_and(|number| allowed.is_empty() || allowed.contains(&number)) {
            continue;
        }
        // user nice system idle iowait irq softirq steal; what guests use is in `user` already.
        let counts: Vec<f64> = words.take(8).filter_map(|word| word.parse().ok()).collect();
        let sum: f64 = counts.iter().sum();
        let idle: f64 = counts.iter().skip(3).take(2).sum();
        all += sum;
        busy += sum - idle;
    }
    (all > 0.0).then_some((busy, all))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixture;
    use super::*;

    const STATUS: (&str, &str) = ("proc/self/status", "Cpus_allowed:\tff\nCpus_allowed_list:\t0,2-3\n");

    #[test]
    fn only_the_cpus_that_may_be_used_count() {
        let (_folder, tree) = fixture::tree(&[
            STATUS,
            ("proc/stat", "cpu 9 9\ncpu0 1 0 0 0 0\ncpu1 0 0 0 0\ncpu2 0 0 0 0\ncpu3 0 0 0 0\nintr 1\n"),
        ]);
        let groups = Groups::default();
        let (mut cpu, begin) = (Cpu::default(), Instant::now());
        assert_eq!(usable(&tree, &groups), Some(3.0));
        assert_eq!(cpu.percent(&tree, &groups, begin), None);
        let stat = "cpu0 11 10 10 60 10 0 0 0\ncpu1 100 0 0 0\ncpu2 0 0 0 100\ncpu3 20 0 0 80\n";
        fixture::write(&tree, &[("proc/stat", stat)]);
        assert_eq!(cpu.percent(&tree, &groups, begin + Duration::from_secs(1)), Some(100.0 * 50.0 / 300.0));
    }

    #[test]
    fn of_a_quota_the_group_uses_its_share() {
        let (_folder, tree) = fixture::tree(&[
            STATUS,
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
            ("sys/fs/cgroup/cpu.stat", "usage_usec 1000000\n"),
        ]);
        let groups = Groups::of_process(&tree);
        let (mut cpu, begin) = (Cpu::default(), Instant::now());
        assert_eq!(usable(&tree, &groups), Some(0.5));
        assert_eq!(cpu.percent(&tree, &groups, begin), None);
        fixture::write(&tree, &[("sys/fs/cgroup/cpu.stat", "usage_usec 1500000\n")]);
        assert_eq!(cpu.percent(&tree, &groups, begin + Duration::from_secs(2)), Some(50.0));
    }

    #[test]
    fn a_quota_of_more_than_there_is_limits_nothing() {
        let (_folder, tree) = fixture::tree(&[
            STATUS,
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cpu.max", "800000 100000\n"),
            ("proc/stat", "cpu0 1 0 0 1\n"),
        ]);
        let groups = Groups::of_process(&tree);
        let mut cpu = Cpu::default();
        assert_eq!(usable(&tree, &groups), Some(3.0));
        cpu.percent(&tree, &groups, Instant::now());
        fixture::write(&tree, &[("proc/stat", "cpu0 2 0 0 1\n")]);
        assert_eq!(cpu.percent(&tree, &groups, Instant::now()), Some(100.0));
    }

    #[test]
    fn the_model_is_told() {
        let (_folder, tree) = fixture::tree(&[("proc/cpuinfo", "processor\t: 0\nmodel name\t: A  CPU @ 3 GHz\n")]);
        assert_eq!(model(&tree).as_deref(), Some("A CPU @ 3 GHz"));
        let (_folder, tree) = fixture::tree(&[("proc/cpuinfo", "processor\t: 0\nmodel\t: 85\nModel\t\t: A board\n")]);
        assert_eq!(model(&tree).as_deref(), Some("A board"));
    }
}
