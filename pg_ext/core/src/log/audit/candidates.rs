use crate::log::hash::Hash;
use crate::log::tile::Tile;
use crate::log::tree::Tree;

/// What three places say about one leaf; they agree in an unchanged log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The row, recomputed; `None` where it is gone.
    pub row: Option<Hash>,
    /// The recorded leaf.
    pub leaf: Option<Hash>,
    /// The full tile over it; `None` at the right edge.
    pub tile: Option<Hash>,
}

/// Whom to believe where they disagree. In the order of trust: tiles are the hardest to reach by an ordinary UPDATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    Tile,
    Majority,
    Leaf,
    Row,
}

impl Said {
    /// Whether a tree could be built in more than one way.
    pub fn disagree(&self) -> bool {
        let mut all = [self.row, self.leaf, self.tile].into_iter().flatten();
        let first = all.next();
        all.any(|other| Some(other) != first)
    }

    /// The leaf, as this belief has it; `None` where nobody says anything.
    pub fn believed(&self, belief: Belief) -> Option<Hash> {
        let Self { row, leaf, tile } = *self;
        match belief {
            Belief::Tile => tile.or(leaf).or(row),
            Belief::Majority if row.is_some() && row == leaf => row,
            Belief::Majority => tile.or(leaf).or(row),
            Belief::Leaf => leaf.or(tile).or(row),
            Belief::Row => row.or(leaf).or(tile),
        }
    }
}

/// The trees that the stored data allows: one, until two places disagree about a leaf; then one for each belief, until
/// a checkpoint says which of them was sealed.
#[derive(Debug)]
pub struct Candidates(Vec<(Belief, Tree)>);

impl Candidates {
    pub fn new() -> Self {
        Self(vec![(Belief::Tile, Tree::new())])
    }

    /// Appends a leaf. Passes on the tiles above the leaves' own that it fills, each as every candidate has it.
    pub fn push(&mut self, said: &Said, mut full: impl FnMut(Tile, &[Hash])) {
        if said.disagree()
            && let [(_, tree)] = &self.0[..]
        {
            let all = [Belief::Tile, Belief::Majority, Belief::Leaf, Belief::Row];
            self.0 = all.map(|belief| (belief, tree.clone())).into();
        }
        for (belief, tree) in &mut self.0 {
            if let Some(leaf) = said.believed(*belief) {
                tree.push(leaf, |tile, hashes| {
                    if tile.level > 0 {
                        full(tile, hashes);
                    }
                });
            }
        }
    }

    /// Whom a checkpoint with this root proves right; the others are dropped.
    pub fn settle(&mut self, root: Hash) -> Option<Belief> {
        let right = self.0.iter().position(|(_, tree)| tree.root() == root)?;
        let right = self.0.swap_remove(right);
        let belief = right.0;
        self.0 = vec![right];
        Some(belief)
    }

    /// The root that is most likely the right one.
    pub fn root(&self) -> Hash {
        let (_, first) = &self.0[0];
        first.root()
    }
}
