use super::Audit;
use super::finding::Kind;
use super::stored::{Leaf, Row, RowId, StoredCheckpoint};

/// How much later than it says a row may be sealed, in microseconds: a day, for long transactions and wrong clocks. A
/// log cannot take back what once raised an alarm.
pub const TOLERANCE: i64 = 86_400_000_000;

impl Audit {
    /// Takes a row that is in no leaf.
    pub fn unlogged(&mut self, id: &RowId<'_>, created_at: Option<i64>) {
        match self.latest {
            Some((_, sealed_at)) if created_at.is_none_or(|time| long_before(time, sealed_at)) => {
                let message = format!(
                    "{} is in no leaf, and by its own time the latest seal should have found it",
                    id.name()
                );
                self.about(Kind::NotInLog, None, id, message);
            }
            _ => self.pending += 1,
        }
    }

    pub(super) fn in_time(&mut self, leaf: &Leaf<'_>, row: &Row<'_>) {
        // A bundle may come without a time; a version only if it was there before the guards, and the log.
        let late = match (row.created_at, self.latest) {
            (Some(time), Some((_, sealed_at))) => long_before(time, sealed_at),
            (None, Some(_)) => leaf.id.bundle_id.is_none(),
            (_, None) => false,
        };
        if late {
            let message = format!(
                "{} was sealed later than its own time allows: an earlier seal should have found it",
                leaf.id.name()
            );
            self.about(Kind::Backdated, Some(leaf.index), &leaf.id, message);
        }
        // A time that has not come yet says nothing about that of the seal.
        if let Some(time) = row.created_at
            && time <= self.now
            && self.newest.is_none_or(|(newest, _)| newest < time)
        {
            self.newest = Some((time, leaf.index));
        }
    }

    /// The time of a checkpoint is in no hash: it has to fit those of the rows before it, which are, and its
    /// predecessor's. Set back, it would let a row through that says it is older than it is.
    pub(super) fn seal_in_time(&mut self, checkpoint: &StoredCheckpoint) {
        let StoredCheckpoint {
            size, sealed_at, ..
        } = *checkpoint;
        let before = self.latest.map(|(_, before)| before);
        let newest = self.newest.take();
        let message = match (before, newest) {
            _ if matches!(sealed_at, i64::MIN | i64::MAX) => {
                Some(format!("the checkpoint of {size} leaves has no time"))
            }
            (Some(before), _) if long_before(sealed_at, before) => Some(format!(
                "the checkpoint of {size} leaves says that it was written more than a day before the one before it"
            )),
            (_, Some((newest, index))) if long_before(sealed_at, newest) => Some(format!(
                "the checkpoint of {size} leaves says that it was written more than a day before leaf {index} was \
                 published, which it covers"
            )),
            _ => None,
        };
        let known = match sealed_at {
            i64::MIN | i64::MAX => before.unwrap_or(i64::MIN),
            finite => finite,
        };
        self.latest = Some((size, known));
        if let Some(message) = message {
            self.found(Kind::CheckpointChanged, message);
        }
    }
}

fn long_before(time: i64, sealed_at: i64) -> bool {
    time < sealed_at.saturating_sub(TOLERANCE)
}
