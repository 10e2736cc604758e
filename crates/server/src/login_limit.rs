//! Slows down whoever guesses passwords.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many attempts are free for a name from an address, and for an address whatever the name.
const FREE_FOR_NAME: u32 = 5;
const FREE_FOR_ADDRESS: u32 = 50;

/// Longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// How long an attempt is remembered.
const MEMORY: Duration = Duration::from_secs(900);

/// How many (name, address) pairs are remembered at most, some 100 bytes each.
const MAX_ENTRIES: usize = 10_000;

/// Counts attempts to log in, by name and address and by address alone.
#[derive(Debug, Default)]
pub(crate) struct LoginLimit {
    attempts: Mutex<HashMap<(Option<String>, IpAddr), Attempts>>,
}

#[derive(Debug)]
struct Attempts {
    count: u32,
    last: Instant,
    next_allowed: Instant,
}

impl LoginLimit {
    /// Counts an attempt, before the password is looked at, so that many at once do not slip through.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn begin(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = network(address);
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = [((Some(shorten(name)), address), FREE_FOR_NAME), ((None, address), FREE_FOR_ADDRESS)];
        let waits = keys.iter().filter_map(|(key, _)| attempts.get(key)?.next_allowed.checked_duration_since(now));
        if let Some(wait) = waits.max().filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        make_room(&mut attempts, now);
        for (key, free) in keys {
            attempts.entry(key).or_insert(Attempts { count: 0, last: now, next_allowed: now }).count(free, now);
        }
        Ok(())
    }

    /// Forgets the attempts for a name whose password was right.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.remove(&(Some(shorten(name)), network(address)));
    }
}

impl Attempts {
    fn count(&mut self, free: u32, now: Instant) {
        if now.duration_since(self.last) > MEMORY {
            self.count = 0;
        }
        self.count += 1;
        self.last = now;
        let beyond = self.count.saturating_sub(free);
        if beyond > 0 {
            self.next_allowed = now + Duration::from_secs(1 << beyond.min(10)).min(MAX_WAIT);
        }
    }
}

/// Forgets what is old; if that is not enough, what may be tried again soonest.
fn make_room(attempts: &mut HashMap<(Option<String>, IpAddr), Attempts>, now: Instant) {
    if attempts.len() + 2 <= MAX_ENTRIES {
        return;
    }
    attempts.retain(|_, entry| now.duration_since(entry.last) <= MEMORY);
    while attempts.len() + 2 > MAX_ENTRIES {
        let soonest = attempts.iter().min_by_key(|(_, entry)| entry.next_allowed).map(|(key, _)| key.clone());
        attempts.remove(&soonest.expect("the map is not empty"));
    }
}

/// No account has a longer name, and nobody shall fill the memory with one.
fn shorten(name: &str) -> String {
    name.chars().take(64).collect()
}

/// An IPv6 client owns a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn waits_double_after_five_attempts() {
        let (limit, start) = (LoginLimit::default(), Instant::now());
        for _ in 0..6 {
            assert_eq!(limit.begin("ada", HERE, start), Ok(()));
        }
        assert_eq!(limit.begin("ada", HERE, start), Err(Duration::from_secs(2)));
        assert_eq!(limit.begin("bob", HERE, start), Ok(()));
        let later = start + Duration::from_secs(2);
        assert_eq!(limit.begin("ada", HERE, later), Ok(()));
        assert_eq!(limit.begin("ada", HERE, later), Err(Duration::from_secs(4)));
        limit.succeeded("ada", HERE);
        assert_eq!(limit.begin("ada", HERE, later), Ok(()));
    }

    #[test]
    fn one_address_may_not_try_many_names() {
        let (limit, now) = (LoginLimit::default(), Instant::now());
        let accepted = (0..200).filter(|n| limit.begin(&format!("user-{n}"), HERE, now).is_ok()).count();
        assert_eq!(accepted, 51);
    }

    #[test]
    fn memory_is_bounded() {
        let (limit, now) = (LoginLimit::default(), Instant::now());
        for n in 0..MAX_ENTRIES as u32 / 2 + 100 {
            let _ = limit.begin("ada", IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(limit.attempts.lock().expect("no panic").len() <= MAX_ENTRIES);
    }
}
