use super::Audit;
use super::finding::Kind;
use super::stored::{Stored, StoredCheckpoint};
use crate::log::checkpoint::Checkpoint;
use crate::log::hash::Hash;

impl Audit {
    /// Compares with every checkpoint whose size has been reached, the kept one first: it is the one to believe.
    pub(super) fn checkpoints<S: Stored>(&mut self, stored: &mut S) -> Result<(), S::Error> {
        if !self.started {
            self.started = true;
            self.ahead = stored.next_checkpoint()?;
        }
        if let Some(kept) = self.kept.take_if(|kept| kept.size <= self.size) {
            self.kept_checkpoint(&kept);
        }
        while let Some(checkpoint) = self.ahead.take_if(|ahead| ahead.size <= self.size) {
            self.stored_checkpoint(checkpoint);
            self.ahead = stored.next_checkpoint()?;
        }
        Ok(())
    }

    fn kept_checkpoint(&mut self, kept: &Checkpoint) {
        if !self.settle(kept.root) {
            self.found(
                Kind::HistoryRewritten,
                format!(
                    "the first {} leaves are not those of the checkpoint that was kept: {}",
                    kept.size,
                    self.instead(kept.root)
                ),
            );
        }
    }

    fn stored_checkpoint(&mut self, checkpoint: StoredCheckpoint) {
        let size = checkpoint.size;
        let settled = match Hash::try_from(&checkpoint.root[..]) {
            Ok(root) if size == self.size => self.settle(root).then_some(()).ok_or(root),
            Ok(root) => Err(root),
            Err(_) => Err(Hash::root(&[])),
        };
        if let Err(root) = settled {
            self.found(
                Kind::CheckpointChanged,
                format!(
                    "the checkpoint of {size} leaves is not that of the leaves: {}",
                    self.instead(root)
                ),
            );
        }
        self.same_origin(&checkpoint);
        self.seal_in_time(&checkpoint);
        self.last_key = None;
    }

    fn same_origin(&mut self, checkpoint: &StoredCheckpoint) {
        let origin = &checkpoint.origin;
        if let Some(kept) = self.kept_origin.take_if(|kept| kept != origin) {
            self.found(
                Kind::HistoryRewritten,
                format!("this is another log: its origin is {origin}, and {kept} in the checkpoint that was kept"),
            );
        }
        let first = self.origin.get_or_insert_with(|| origin.clone());
        if first != origin {
            let message = format!(
                "the checkpoint of {} leaves has the origin {origin}, and the first one {first}",
                checkpoint.size
            );
            self.found(Kind::CheckpointChanged, message);
        }
    }

    fn instead(&self, expected: Hash) -> String {
        match self.root() {
            Some(root) => format!("it has the root {expected}, and they have {root}"),
            None => format!("it has the root {expected}, and some of them are missing"),
        }
    }

    /// Whether one of the trees has this root; that one is believed.
    fn settle(&mut self, root: Hash) -> bool {
        let belief = self.trees.as_mut().and_then(|trees| trees.settle(root));
        if let Some(belief) = belief {
            self.resolve(belief);
        }
        belief.is_some()
    }
}
