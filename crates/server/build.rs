//! Rebuilds the crate when the built UI changes: what is embedded is a folder, whose new files nothing else watches.

fn main() {
    println!("cargo:rerun-if-changed=../../ui/dist");
}
