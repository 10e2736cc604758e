//! Making the summary of a run anew from its rows, where following them is not enough: after a rewind, and as a fork begins.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use steplog_model::{Summary, Value};

use crate::Error;
use crate::hot::LiveRun;
use crate::lineage::{self, Member};
use crate::source::Source;
use crate::store::Shared;

impl Shared {
    /// Makes the summary anew when it is stale. Only the writer thread may do that, between two changes of the run.
    pub(crate) fn refresh_summary(&self, database: &Connection, live: &LiveRun) -> Result<(), Error> {
        if !live.hot().is_summary_stale {
            return Ok(());
        }
        let mut members = lineage::lineage(database, live.id, &live.path)?;
        let mut summary = live.hot().summary.without_rows();
        for member in &mut members {
            let parent = self.live(&member.path).filter(|parent| parent.id == member.run && member.run != live.id);
            let source = if member.run == live.id { Some(live) } else { parent.as_deref() };
            self.take_in(database, member, source, &mut summary)?;
        }
        let mut hot = live.hot();
        let hot = &mut *hot;
        hot.update_summary();
        let touched = hot.summary.iter().chain(summary.iter()).map(|(key, _)| key.clone());
        hot.dirty.extend(touched);
        hot.summary = summary;
        hot.is_summary_stale = false;
        Ok(())
    }

    fn take_in(
        &self,
        database: &Connection,
        member: &Member,
        live: Option<&LiveRun>,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        for (id, name) in lineage::keys(database, member.run)? {
            let hot = live.and_then(|live| live.hot().column(&name, 0));
            let source = Source::open(self, database, (member.run, id), hot, None)?;
            let key: Arc<str> = name.into();
            let every_value = summary.needs_every_value(&key);
            // Of the writes to a step the last counts.
            let mut values: HashMap<i64, Value> = HashMap::new();
            let mut latest: Option<(i64, Value)> = None;
            source.scan(0, &(i64::MIN..=member.until), |rows, column, range| {
                for index in range {
                    let step = rows.steps[index];
                    if step > member.until {
                        continue;
                    }
                    if every_value {
                        values.insert(step, column.get(index));
                    } else if latest.as_ref().is_none_or(|(highest, _)| step >= *highest) {
                        latest = Some((step, column.get(index)));
                    }
                }
            })?;
            let mut values: Vec<_> = values.into_iter().chain(latest).collect();
            values.sort_unstable_by_key(|(step, _)| *step);
            for (step, value) in values {
                summary.apply_value(&key, step, &value);
            }
        }
        Ok(())
    }
}
