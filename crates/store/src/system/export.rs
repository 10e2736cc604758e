//! The system samples of a run as a file.

use std::collections::HashMap;
use std::io::Write;

use steplog_model::{RunPath, Value};

use super::read::{names, processes, read_chunk};
use crate::export::{Column, Table, write_table};
use crate::history::HistoryRow;
use crate::values::Kinds;
use crate::{Error, ExportFormat, Store, catalog, lineage};

/// About so many cells are in memory at a time.
const WINDOW_CELLS: usize = 1 << 20;

impl Store {
    /// Writes the system samples of a run as a table: a row for each sample, process by process as they began, and a column
    /// for each system metric, without the `_system/` of its key. `_step` is the run's highest step when the sample came.
    ///
    /// # Errors
    /// There is no such run, or `out` refused.
    pub fn export_system(&self, path: &RunPath, format: ExportFormat, out: &mut dyn Write) -> Result<(), Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let created_at = lineage::began_at(&lineage::lineage(&reader, run, path)?);
        let names = names(&reader, run)?;
        let columns = names.iter().map(|name| Column { key: name, kinds: Kinds::FLOAT });
        let table = Table::new(created_at, columns);
        let places: HashMap<&str, usize> = names.iter().enumerate().map(|(place, name)| (&**name, place)).collect();
        let window = (WINDOW_CELLS / names.len().max(1)).max(1);
        write_table(&table, format, out, |write| {
            for process in processes(&reader, run)? {
                for id in &process.chunks {
                    let chunk = read_chunk(&reader, &self.shared.caches.system, *id)?;
                    let mut columns = Vec::with_capacity(chunk.names().len());
                    for name in chunk.names() {
                        if let Some(place) = places.get(&*format!("{}{name}", process.prefix)) {
                            columns.push((*place, chunk.column(name)?.into_iter().peekable()));
                        }
                    }
                    for first in (0..chunk.steps.len()).step_by(window) {
                        let end = chunk.steps.len().min(first + window);
                        let mut rows: Vec<_> = (first..end)
                            .map(|sample| HistoryRow {
                                step: chunk.steps[sample],
                                time: chunk.times[sample],
                                values: vec![None; names.len()],
                            })
                            .collect();
                        for (place, column) in &mut columns {
                            while let Some((sample, value)) = column.next_if(|(sample, _)| *sample < end) {
                                rows[sample - first].values[*place] = Some(Value::Float(value));
                            }
                        }
                        write(&rows)?;
                    }
                }
            }
            Ok(())
        })
    }
}
