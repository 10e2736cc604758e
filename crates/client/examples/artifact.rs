//! Logs a folder as a version of a dataset and waits until the server has it: `artifact FOLDER [immutable]`.

use std::time::Instant;

use steplog::artifact::{AddOptions, AddPolicy, Artifact};
use steplog::{Error, Run};

fn main() -> Result<(), Error> {
    let folder = std::env::args()
        .nth(1)
        .ok_or_else(|| Error::new(steplog::ErrorKind::Usage, "name the folder that is to be logged"))?;
    let run = Run::builder("digits").job_type("prepare").init()?;
    let begun = Instant::now();
    let dataset = Artifact::new("images", "dataset")?;
    let is_immutable = std::env::args().nth(2).as_deref() == Some("immutable");
    let policy = if is_immutable { AddPolicy::Immutable } else { AddPolicy::Mutable };
    let count = dataset.add_dir(&folder, None, &AddOptions { policy, ..AddOptions::default() })?;
    println!("{count} files of {} bytes were read after {:.2?}", dataset.size_bytes(), begun.elapsed());
    run.log_artifact(&dataset, &["newest"])?;
    println!("logged after {:.2?}", begun.elapsed());
    dataset.wait(None)?;
    println!("{} was committed after {:.2?}", dataset.name(), begun.elapsed());
    run.finish();
    Ok(())
}
