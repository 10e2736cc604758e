//! Records a run whose loss falls: `cargo run --release -p steplog --example quickstart`.

use steplog::{Error, Run};

fn main() -> Result<(), Error> {
    let learning_rate = 0.1;
    let run =
        Run::builder("quickstart").name("from-rust").config("learning_rate", learning_rate).tags(["demo"]).init()?;
    for step in 0..1_000 {
        let progress = f64::from(step) * learning_rate / 50.0;
        run.log([("train/loss", (-progress).exp()), ("train/accuracy", 1.0 - (-2.0 * progress).exp())])?;
    }
    run.set_summary("best/accuracy", 0.98)?;
    run.finish();
    Ok(())
}
