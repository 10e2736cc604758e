//! Trains in pieces, as a job that is interrupted and started again: `cargo run --release -p steplog --example resume`,
//! more than once in one folder.

use steplog::{Error, Resume, Run};

/// How many steps one process gets to do.
const STEPS: i64 = 100;

fn main() -> Result<(), Error> {
    let run = Run::builder("resume").id("training").resume(Resume::Allow).config("learning_rate", 0.1).init()?;
    let first = run.starting_step();
    println!("{} at step {first}", if run.resumed() { "goes on" } else { "begins" });
    for step in first..first + STEPS {
        run.log([("train/loss", 1.0 / (1.0 + 0.1 * step as f64))])?;
    }
    // A batch system is about to take the machine: the run is shown as preempted until it is resumed.
    run.mark_preempting()?;
    run.finish_with(143);
    Ok(())
}
