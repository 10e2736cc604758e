//! What the network interfaces receive and send.

use super::Tree;

/// Bytes that were received and sent since the machine, or the container, started: by its devices; where there are none,
/// as in a container, by all interfaces but the one to itself.
pub(crate) fn transferred(tree: &Tree) -> Option<(f64, f64)> {
    let text = tree.text("proc/net/dev")?;
    let interfaces: Vec<_> = text.lines().filter_map(interface).filter(|(name, _, _)| *name != "lo").collect();
    let is_device = |name: &str| tree.exists(format!("sys/class/net/{name}/device"));
    let has_devices = interfaces.iter().any(|(name, _, _)| is_device(name));
    let counted = interfaces.iter().filter(|(name, _, _)| !has_devices || is_device(name));
    counted.map(|(_, received, sent)| (*received, *sent)).reduce(|one, other| (one.0 + other.0, one.1 + other.1))
}

fn interface(line: &str) -> Option<(&str, f64, f64)> {
    let (name, counts) = line.split_once(':')?;
    let counts: Vec<&str> = counts.split_ascii_whitespace().collect();
    Some((name.trim(), counts.first()?.parse().ok()?, counts.get(8)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    const INTERFACES: &str = "\
Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo: 500 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0
  eth0: 100 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0
  eth1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0
docker0: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
";

    #[test]
    fn devices_count_where_there_are_any() {
        let (_folder, tree) = fixture::tree(&[("proc/net/dev", INTERFACES)]);
        assert_eq!(transferred(&tree), Some((108.0, 19.0)));
        fixture::write(&tree, &[("sys/class/net/eth0/device/x", ""), ("sys/class/net/eth1/device/x", "")]);
        assert_eq!(transferred(&tree), Some((101.0, 12.0)));
        assert_eq!(transferred(&fixture::tree(&[]).1), None);
    }
}
