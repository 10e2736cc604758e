//! Key objects that were seen before: a script logs the same few string objects again and again.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyString;
use steplog::KeyId;

/// More key objects than this are of keys made anew for each call; remembering them is of no use.
const MOST_OBJECTS: usize = 16_384;

/// Numbers of keys by the address of the string object. Each object is kept alive, so that its address stays its own.
#[derive(Default)]
pub(crate) struct KeyObjects {
    generation: u32,
    /// Addresses and numbers in the order of the row before: most rows have the same keys in the same order.
    previous: Vec<(usize, KeyId)>,
    by_address: HashMap<usize, (Py<PyString>, KeyId), BuildHasherDefault<AddressHasher>>,
}

impl KeyObjects {
    /// Forgets everything when a forked child uses it for the first time: numbers are another ones there.
    #[inline]
    pub(crate) fn in_process(&mut self, generation: u32) {
        if self.generation != generation {
            self.generation = generation;
            self.forget();
        }
    }

    /// The number of the key object that stands at `position` of a row.
    #[inline]
    pub(crate) fn get(&mut self, key: *mut pyo3::ffi::PyObject, position: usize) -> Option<KeyId> {
        let address = key as usize;
        match self.previous.get(position) {
            Some((previous, id)) if *previous == address => return Some(*id),
            _ => {}
        }
        let (_, id) = self.by_address.get(&address)?;
        self.previous.truncate(position);
        if self.previous.len() == position {
            self.previous.push((address, *id));
        }
        Some(*id)
    }

    pub(crate) fn insert(&mut self, key: &Bound<'_, PyString>, id: KeyId) {
        if self.by_address.len() >= MOST_OBJECTS {
            self.forget();
        }
        self.by_address.insert(key.as_ptr() as usize, (key.clone().unbind(), id));
    }

    fn forget(&mut self) {
        self.previous.clear();
        self.by_address.clear();
    }
}

/// Spreads an address, whose lowest bits are always zero.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only addresses are hashed")
    }

    fn write_usize(&mut self, address: usize) {
        // Fibonacci hashing: the table looks at the highest and the lowest bits.
        let product = (address as u64 >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}
