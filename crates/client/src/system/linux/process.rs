//! This process and its children: loaders of data and the ranks that it started work for the same run.

use super::Tree;

/// More are not looked for.
const MOST_PROCESSES: usize = 4096;

/// A process and all below it.
#[derive(Debug)]
pub(crate) struct ProcessTree {
    /// The process itself first.
    processes: Vec<Process>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Process {
    id: u32,
    /// Ticks of CPU: its own, and those of children that have ended and that it has asked after.
    ticks: f64,
    threads: f64,
    resident_pages: f64,
    /// Of these, such as are of files or shared memory.
    shared_pages: f64,
}

impl ProcessTree {
    pub(crate) fn of(tree: &Tree, id: u32) -> Self {
        let mut processes: Vec<Process> = Process::read(tree, id).into_iter().collect();
        let mut at = 0;
        while let Some(process) = processes.get(at).filter(|_| processes.len() < MOST_PROCESSES) {
            let children = children(tree, process.id);
            let known: Vec<u32> = processes.iter().map(|process| process.id).collect();
            let new = children.into_iter().filter(|child| !known.contains(child));
            processes.extend(new.filter_map(|child| Process::read(tree, child)));
            at += 1;
        }
        Self { processes }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().map(|process| process.id)
    }

    /// Seconds of CPU so far.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        let ticks: f64 = self.processes.iter().map(|process| process.ticks).sum();
        (!self.processes.is_empty()).then(|| ticks / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory, what children share with others counted once, as far as that can be told cheaply: pages that a
    /// forked child has not written to yet count for both.
    pub(crate) fn memory_bytes(&self) -> Option<f64> {
        let (first, children) = self.processes.split_first()?;
        let of_children: f64 = children.iter().map(|child| (child.resident_pages - child.shared_pages).max(0.0)).sum();
        Some((first.resident_pages + of_children) * rustix::param::page_size() as f64)
    }

    pub(crate) fn threads(&self) -> Option<f64> {
        (!self.processes.is_empty()).then(|| self.processes.iter().map(|process| process.threads).sum())
    }
}

impl Process {
    fn read(tree: &Tree, id: u32) -> Option<Self> {
        let stat = tree.text(format!("proc/{id}/stat"))?;
        // The name may hold anything, brackets too.
        let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let statm = tree.text(format!("proc/{id}/statm")).unwrap_or_default();
        let mut pages = statm.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap_or_default());
        Some(Self {
            id,
            ticks: number(11)? + number(12)? + number(13)? + number(14)?,
            threads: number(17)?,
            resident_pages: pages.next().unwrap_or_default(),
            shared_pages: pages.next().unwrap_or_default(),
        })
    }
}

/// The children that each thread of a process has begun. Where the kernel does not tell, there are none.
fn children(tree: &Tree, id: u32) -> Vec<u32> {
    let tasks = tree.names(format!("proc/{id}/task"));
    let lists = tasks.iter().filter_map(|task| tree.text(format!("proc/{id}/task/{task}/children")));
    lists.flat_map(|list| list.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn stat(id: u32, name: &str, ticks: u32, threads: u32) -> String {
        format!("{id} ({name}) S 1 1 1 0 -1 4194560 1 2 3 4 {ticks} 1 2 3 20 0 {threads} 0 99 1000 10")
    }

    #[test]
    fn children_and_their_children_count() {
        let (first, second, third) = (stat(5, "python", 100, 4), stat(6, "a) (b", 20, 2), stat(7, "worker", 3, 1));
        let (_folder, tree) = fixture::tree(&[
            ("proc/5/stat", &first),
            ("proc/5/statm", "900 50 20 1 0 1 0"),
            ("proc/5/task/5/children", ""),
            ("proc/5/task/9/children", "6 "),
            ("proc/6/stat", &second),
            ("proc/6/statm", "900 40 30 1 0 1 0"),
            ("proc/6/task/6/children", "7 8 5"),
            ("proc/7/stat", &third),
            ("proc/7/statm", "900 10 30 1 0 1 0"),
        ]);
        let processes = ProcessTree::of(&tree, 5);
        assert_eq!(processes.ids().collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(processes.threads(), Some(7.0));
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(processes.cpu_seconds(), Some((123.0 + 18.0) / ticks));
        assert_eq!(processes.memory_bytes(), Some(60.0 * rustix::param::page_size() as f64));
    }

    #[test]
    fn a_process_that_is_gone_has_nothing() {
        let (_folder, tree) = fixture::tree(&[]);
        let processes = ProcessTree::of(&tree, 5);
        assert_eq!((processes.cpu_seconds(), processes.memory_bytes(), processes.threads()), (None, None, None));
    }

    #[test]
    fn a_real_child_is_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let processes = ProcessTree::of(&Tree::of_machine(), std::process::id());
        let found = processes.ids().any(|id| id == child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        let tells = std::fs::exists(format!("/proc/self/task/{}/children", std::process::id())).unwrap();
        assert_eq!(found, tells);
    }
}
