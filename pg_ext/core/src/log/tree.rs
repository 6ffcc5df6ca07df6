use super::hash::Hash;
use super::proof::{TileReader, read};
use super::tile::{HEIGHT, Tile, WIDTH};

/// A tree that leaves are appended to. It holds its rightmost partial tiles and no more: one per level.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of the first `size` leaves of a stored one.
    ///
    /// # Errors
    /// The reader's; [`crate::Error::WrongTile`] where a tile does not have the hashes that it should.
    pub fn resume<R: TileReader>(size: u64, reader: &mut R) -> Result<Self, R::Error> {
        let mut edge = Vec::new();
        for level in 0.. {
            if Tile::of_tree(level, 0, size).is_none() {
                break;
            }
            edge.push(match Tile::partial_of_tree(level, size) {
                Some(tile) => read(reader, tile)?,
                None => Vec::new(),
            });
        }
        Ok(Self { size, edge })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and passes on the tiles that it fills, lowest level first.
    pub fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile, &[Hash])) {
        let mut hash = leaf;
        for level in 0.. {
            if self.edge.len() == usize::from(level) {
                self.edge.push(Vec::new());
            }
            let hashes = &mut self.edge[usize::from(level)];
            hashes.push(hash);
            if hashes.len() < usize::from(WIDTH) {
                break;
            }
            let (index, width) = (self.size >> (HEIGHT * u32::from(level + 1)), WIDTH);
            full(
                Tile {
                    level,
                    index,
                    width,
                },
                hashes,
            );
            hash = Hash::root(hashes);
            hashes.clear();
        }
        self.size += 1;
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash {
        let mut right: Option<Hash> = None;
        for hashes in &self.edge {
            let subtrees: Vec<Hash> = hashes.iter().copied().chain(right).collect();
            if !subtrees.is_empty() {
                right = Some(Hash::root(&subtrees));
            }
        }
        right.unwrap_or_else(|| Hash::root(&[]))
    }
}
