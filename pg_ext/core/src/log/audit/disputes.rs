use std::collections::HashSet;

use super::candidates::{Belief, Said};
use super::finding::{Finding, Kind};
use super::stored::Leaf;
use crate::log::hash::Hash;
use crate::log::tile::WIDTH;

/// A leaf about which row, recorded hash and tile disagree.
#[derive(Debug)]
pub struct Dispute {
    index: u64,
    version_id: String,
    bundle_id: Option<String>,
    name: String,
    said: Said,
}

/// What a dispute was about.
pub enum Found {
    Leaf(Finding),
    /// The tile of level 0 with this index; said once for all of its leaves.
    Tile(u64),
}

impl Dispute {
    pub fn new(leaf: &Leaf<'_>, said: Said) -> Self {
        Self {
            index: leaf.index,
            version_id: leaf.id.version_id.to_owned(),
            bundle_id: leaf.id.bundle_id.map(str::to_owned),
            name: leaf.id.name(),
            said,
        }
    }

    fn finding(&self, kind: Kind, message: String) -> Found {
        Found::Leaf(Finding {
            kind,
            leaf_index: Some(self.index),
            version_id: Some(self.version_id.clone()),
            bundle_id: self.bundle_id.clone(),
            message,
        })
    }

    fn about_row(&self, sealed: Option<Hash>) -> Option<Found> {
        let name = &self.name;
        match (self.said.row, sealed) {
            (None, _) => {
                let message = format!("{name} was sealed and is gone");
                Some(self.finding(Kind::Removed, message))
            }
            (Some(row), Some(sealed)) if row != sealed => {
                let message = format!("{name} is not what was sealed");
                Some(self.finding(Kind::Changed, message))
            }
            _ => None,
        }
    }
}

/// What has happened, now that one side is believed.
pub fn resolve(disputes: Vec<Dispute>, belief: Belief) -> Vec<Found> {
    let leaves: HashSet<Hash> = disputes.iter().filter_map(|d| d.said.leaf).collect();
    let mut found = Vec::new();
    let mut last_tile = None;
    for dispute in disputes {
        let Said { row, leaf, tile } = dispute.said;
        let sealed = dispute.said.believed(belief);
        let leaf_is_wrong = leaf.is_none() || leaf != sealed;
        let of_another = sealed.is_some_and(|sealed| leaves.contains(&sealed));
        if leaf_is_wrong && row == leaf && of_another {
            let message = format!("{} has the place of another leaf", dispute.name);
            found.push(dispute.finding(Kind::Reordered, message));
        } else {
            found.extend(dispute.about_row(sealed));
            if leaf_is_wrong {
                let message = format!(
                    "the recorded leaf of {} is not the one that was sealed",
                    dispute.name
                );
                found.push(dispute.finding(Kind::LeafChanged, message));
            }
        }
        let index = dispute.index / u64::from(WIDTH);
        if tile.is_some() && tile != sealed && last_tile.replace(index) != Some(index) {
            found.push(Found::Tile(index));
        }
    }
    found
}
