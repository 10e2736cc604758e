//! Which addresses webhooks may be sent to.
//!
//! Whoever may configure a webhook makes the server send requests. Without a limit that reaches what only the server's
//! machine and network can: services on its loopback, neighbours, the metadata of its cloud.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Hosts in the server's own network that webhooks may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateHosts {
    all: bool,
    names: Vec<String>,
    networks: Vec<Network>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl PrivateHosts {
    /// All of them.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Whether messages for a host may go to one of its addresses.
    pub(super) fn allow(&self, host: &str, address: IpAddr) -> bool {
        self.all
            || is_public(address)
            || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
            || self.networks.iter().any(|network| network.contains(plain(address)))
    }
}

impl FromStr for PrivateHosts {
    type Err = String;

    /// `*` for all, else names, addresses and networks (`10.1.0.0/16`), separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut hosts = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part == "*" {
                hosts.all = true;
            } else if let Ok(address) = part.parse::<IpAddr>() {
                hosts.networks.push(Network { address, prefix: bits(address) });
            } else if let Some((address, prefix)) = part.split_once('/') {
                let address = address.parse().map_err(|_| format!("{address:?} is not an address"))?;
                let prefix = prefix.parse().ok().filter(|prefix| *prefix <= bits(address));
                let prefix = prefix.ok_or_else(|| format!("{part:?} is not a network such as 10.1.0.0/16"))?;
                hosts.networks.push(Network { address, prefix });
            } else if part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
                hosts.names.push(part.to_owned());
            } else {
                return Err(format!("{part:?} is neither a host name, an address nor a network"));
            }
        }
        Ok(hosts)
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let numbers = match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => (u32::from(network).into(), u32::from(address).into(), 32),
            (IpAddr::V6(network), IpAddr::V6(address)) => (u128::from(network), u128::from(address), 128),
            _ => return false,
        };
        let (network, address, bits) = numbers;
        let differing: u128 = network ^ address;
        differing.checked_shr(bits - u32::from(self.prefix)).unwrap_or(0) == 0
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// An IPv4 address that is written as an IPv6 one, as itself.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Whether an address is one of the public Internet, and of a single host.
fn is_public(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// By IANA's registry of special addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: [([u8; 4], u8); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        // Carriers' own networks.
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        // Among them the metadata of clouds.
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        // Groups.
        ([224, 0, 0, 0], 4),
        // Reserved, and the broadcast.
        ([240, 0, 0, 0], 4),
    ];
    let is_in =
        |&(network, prefix): &([u8; 4], u8)| Network { address: network.into(), prefix }.contains(address.into());
    !SPECIAL.iter().any(is_in)
}

/// What is not in the one range for single hosts is special, and within that range what leads to IPv4 or nowhere.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    // A translator's prefix, before an IPv4 address.
    if parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let is_unicast = parts[0] & 0xe000 == 0x2000;
    // 2001::/23 has protocols such as Teredo, 2001:db8::/32 and 3fff::/20 examples, and 2002::/16 IPv4 addresses.
    let is_special = parts[0] == 0x2001 && (parts[1] < 0x200 || parts[1] == 0xdb8)
        || parts[0] == 0x2002
        || parts[0] == 0x3fff && parts[1] < 0x1000;
    is_unicast && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &PrivateHosts, addresses: &[&str]) -> Vec<bool> {
        addresses.iter().map(|address| hosts.allow("host.example", address.parse().expect("an address"))).collect()
    }

    #[test]
    fn what_is_not_public_is_refused() {
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        assert_eq!(allowed(&PrivateHosts::default(), &private), [false; 36]);
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ];
        assert_eq!(allowed(&PrivateHosts::default(), &public), [true; 14]);
    }

    #[test]
    fn the_administrator_can_allow_hosts_and_networks() {
        let hosts: PrivateHosts = "10.1.0.0/16, chat.internal,192.168.1.7, fd00::/8".parse().expect("a list");
        assert_eq!(
            allowed(
                &hosts,
                &["10.1.2.3", "::ffff:10.1.2.3", "10.2.0.1", "192.168.1.7", "192.168.1.8", "fd00::1", "fe80::1"]
            ),
            [true, true, false, true, false, true, false]
        );
        assert!(hosts.allow("Chat.Internal", "127.0.0.1".parse().expect("an address")));
        assert_eq!("*".parse(), Ok(PrivateHosts::all()));
        assert_eq!(allowed(&PrivateHosts::all(), &["127.0.0.1", "::1"]), [true, true]);
        assert_eq!(
            "10.0.0.0/33".parse::<PrivateHosts>(),
            Err("\"10.0.0.0/33\" is not a network such as 10.1.0.0/16".into())
        );
        assert!("a b".parse::<PrivateHosts>().is_err());
        assert_eq!(allowed(&"0.0.0.0/0".parse().expect("a list"), &["127.0.0.1", "::1"]), [true, false]);
    }
}
