//! Names for runs that have none.

const ADJECTIVES: [&str; 60] = [
    "amber", "ancient", "autumn", "blue", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosmic",
    "crimson", "crisp", "curious", "daring", "dawn", "deep", "eager", "early", "electric", "fair", "fancy", "fearless",
    "fresh", "gentle", "giddy", "glad", "golden", "graceful", "happy", "hidden", "honest", "humble", "icy", "jolly",
    "keen", "kind", "lively", "lucky", "mellow", "misty", "noble", "patient", "plucky", "polished", "proud", "quiet",
    "rapid", "rosy", "silent", "silver", "smooth", "solar", "steady", "sunny", "swift", "vivid", "warm", "wise",
];

const NOUNS: [&str; 60] = [
    "anchor", "aurora", "badger", "beacon", "birch", "breeze", "brook", "canyon", "cedar", "cliff", "cloud", "comet",
    "coral", "crane", "dew", "dolphin", "dune", "eagle", "ember", "falcon", "feather", "fern", "fjord", "forest",
    "fox", "galaxy", "garden", "glacier", "grove", "harbor", "hawk", "heron", "island", "lake", "lantern", "lark",
    "leaf", "maple", "meadow", "moon", "moss", "oak", "ocean", "orchid", "otter", "owl", "pebble", "pine", "planet",
    "pond", "raven", "reef", "river", "sky", "sparrow", "spruce", "summit", "tide", "valley", "willow",
];

/// The name of the `number`th run of a project, from 1: the same number always gives the same name.
pub(crate) fn made_up(number: u64) -> String {
    // Steps that share no factor with the length visit every word, and neighbours do not sound alike.
    let adjective = ADJECTIVES[(number.wrapping_mul(37) % 60) as usize];
    let noun = NOUNS[((number / 60).wrapping_add(number.wrapping_mul(23)) % 60) as usize];
    format!("{adjective}-{noun}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_other_names() {
        assert_eq!([made_up(1), made_up(2)], ["kind-forest-1", "curious-pebble-2"]);
    }
}
