use super::Audit;
use super::finding::Kind;
use super::stored::RowId;

/// What no seal has written, as [`super::OUTSIDE`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    Leaf,
    Tile,
    SecondTile,
    Checkpoint,
    SecondCheckpoint,
}

impl Outside {
    /// `None` for a name that is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "leaf" => Self::Leaf,
            "tile" => Self::Tile,
            "second tile" => Self::SecondTile,
            "checkpoint" => Self::Checkpoint,
            "second checkpoint" => Self::SecondCheckpoint,
            _ => return None,
        })
    }
}

/// What is there twice, as [`super::TWICE`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twice {
    /// One version string of one extension has several rows.
    Version,
    /// A row has several leaves.
    Leaf,
    /// One of several bundles of a version is not marked as there before the guards.
    Bundle,
    /// A bundle was sealed later than another one of its version.
    LateBundle,
}

impl Twice {
    /// `None` for a name that is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "version" => Self::Version,
            "leaf" => Self::Leaf,
            "bundle" => Self::Bundle,
            "late bundle" => Self::LateBundle,
            _ => return None,
        })
    }
}

impl Audit {
    /// Takes something that is outside of the log. `place` is the index of a leaf or tile, the size of a checkpoint.
    pub fn outside(
        &mut self,
        what: Outside,
        level: Option<i16>,
        place: Option<i64>,
        id: Option<&RowId<'_>>,
    ) {
        let at = place.map_or("no place".to_owned(), |place| place.to_string());
        let level = level.unwrap_or_default();
        match (what, id) {
            (Outside::Leaf, Some(id)) => {
                let message = format!(
                    "{} has a leaf at {at}, outside of the log: no seal has appended it",
                    id.name()
                );
                let index = place.and_then(|place| u64::try_from(place).ok());
                self.about(Kind::LeafChanged, index, id, message);
            }
            (Outside::Leaf, None) => {
                self.found(Kind::LeafChanged, format!("there is a leaf at {at}, outside of the log"));
            }
            (Outside::Tile, _) => self.found(
                Kind::TileChanged,
                format!("the stored tile {at} of level {level} is outside of the log: no seal has filled it"),
            ),
            (Outside::SecondTile, _) => self.found(
                Kind::TileChanged,
                format!("tile {at} of level {level} is stored more than once"),
            ),
            (Outside::Checkpoint, _) => self.found(
                Kind::CheckpointChanged,
                format!("a checkpoint says that the log has {at} leaves"),
            ),
            (Outside::SecondCheckpoint, _) => self.found(
                Kind::CheckpointChanged,
                format!("there is more than one checkpoint of {at} leaves"),
            ),
        }
    }

    /// Takes something that is there twice.
    pub fn twice(&mut self, what: Twice, id: &RowId<'_>) {
        let name = id.name();
        let message = match what {
            Twice::Version => format!(
                "{name} is there more than once: this is version {}",
                id.version_id
            ),
            Twice::Leaf => format!("{name} is in the log more than once"),
            Twice::Bundle => format!(
                "{name} is not the only one, and is not marked as there before the guards: a version has one bundle"
            ),
            Twice::LateBundle => {
                format!("{name} was sealed after another bundle of the version: it was added to it")
            }
        };
        self.about(Kind::SealedTwice, None, id, message);
    }
}
