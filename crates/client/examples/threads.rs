//! Several workers log to one run, and the main thread evaluates: `cargo run --release -p steplog --example threads`.

use std::thread;

use steplog::{Aggregate, AlertLevel, Error, MetricDefinition, Run};

const WORKERS: u32 = 4;
const EPOCHS: u32 = 5;
const BATCHES: u32 = 50;

fn main() -> Result<(), Error> {
    let run = Run::builder("threads").config("workers", WORKERS).config("epochs", EPOCHS).init()?;
    run.define_metric(MetricDefinition {
        name: "val/*".into(),
        step_metric: Some("epoch".into()),
        summary: Some(vec![Aggregate::Min, Aggregate::Last]),
        ..MetricDefinition::default()
    })?;
    for epoch in 0..EPOCHS {
        // A run is a handle that threads share; rows of one call are never torn.
        thread::scope(|scope| {
            let run = &run;
            let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || train(run, worker, epoch))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
        })?;
        let loss = 1.0 / f64::from(epoch + 2);
        run.log([("epoch", f64::from(epoch)), ("val/loss", loss)])?;
        if loss > 0.4 {
            run.alert("validation is bad", &format!("loss {loss} in epoch {epoch}"), AlertLevel::Warn, None)?;
        }
    }
    println!("{} rows, best loss {:?}", run.step(), run.summary().get("val/loss.min"));
    run.finish();
    Ok(())
}

fn train(run: &Run, worker: u32, epoch: u32) -> Result<(), Error> {
    let key = format!("worker-{worker}/loss");
    for batch in 0..BATCHES {
        let progress = f64::from(epoch * BATCHES + batch) / f64::from(EPOCHS * BATCHES);
        run.log([(&key, (-3.0 * progress).exp())])?;
    }
    Ok(())
}
