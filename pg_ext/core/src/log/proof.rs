use super::hash::{Hash, split};
use super::tile::{HEIGHT, Tile, WIDTH};
use crate::Error;

/// Where tiles are stored.
pub trait TileReader {
    type Error: From<Error>;

    /// The first `tile.width` hashes of the tile.
    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, Self::Error>;
}

/// Reads a tile and counts its hashes.
pub fn read<R: TileReader>(reader: &mut R, tile: Tile) -> Result<Vec<Hash>, R::Error> {
    let hashes = reader.read(tile)?;
    if hashes.len() == usize::from(tile.width) {
        Ok(hashes)
    } else {
        Err(Error::WrongTile(tile).into())
    }
}

/// The root of the first `size` leaves.
///
/// # Errors
/// The reader's; [`Error::WrongTile`] where a tile does not have the hashes that it should.
pub fn root<R: TileReader>(size: u64, reader: &mut R) -> Result<Hash, R::Error> {
    match size {
        0 => Ok(Hash::root(&[])),
        _ => Nodes::new(size, reader).subtree(0, size),
    }
}

/// PATH(m, D\[n\]) of RFC 6962: proves that leaf `index` is in the tree of the first `size` leaves.
///
/// # Errors
/// Those of [`root`]; [`Error::NotInTree`] when that tree has no such leaf.
pub fn inclusion_proof<R: TileReader>(
    index: u64,
    size: u64,
    reader: &mut R,
) -> Result<Vec<Hash>, R::Error> {
    if index >= size {
        return Err(Error::NotInTree { index, size }.into());
    }
    let mut nodes = Nodes::new(size, reader);
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    // From the root down, so that the last one is the leaf's sibling.
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(nodes.subtree(middle, end)?);
            end = middle;
        } else {
            proof.push(nodes.subtree(start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// PROOF(m, D\[n\]) of RFC 6962: proves that the tree of the first `old` leaves is the beginning of that of `new`.
/// Empty for `old` = 0, which every tree begins with, and for `old` = `new`.
///
/// # Errors
/// Those of [`root`]; [`Error::NotInTree`] when `old` is greater than `new`.
pub fn consistency_proof<R: TileReader>(
    old: u64,
    new: u64,
    reader: &mut R,
) -> Result<Vec<Hash>, R::Error> {
    if old > new {
        let (index, size) = (old, new);
        return Err(Error::NotInTree { index, size }.into());
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut nodes = Nodes::new(new, reader);
    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    // Down to the subtree that ends where the old tree ended.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(nodes.subtree(middle, end)?);
            end = middle;
        } else {
            proof.push(nodes.subtree(start, middle)?);
            start = middle;
        }
    }
    // The verifier has it when it is the whole old tree.
    if start > 0 {
        proof.push(nodes.subtree(start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The nodes of a stored tree. One proof needs several of the same tile: at most two tiles per level are read.
struct Nodes<'a, R> {
    size: u64,
    reader: &'a mut R,
    tiles: Vec<(Tile, Vec<Hash>)>,
}

impl<'a, R: TileReader> Nodes<'a, R> {
    fn new(size: u64, reader: &'a mut R) -> Self {
        Self {
            size,
            reader,
            tiles: Vec::new(),
        }
    }

    /// MTH(D\[start:end\]). The range is one that RFC 6962 divides a tree into: it is complete, or ends with the tree.
    fn subtree(&mut self, start: u64, end: u64) -> Result<Hash, R::Error> {
        let size = end - start;
        if !size.is_power_of_two() {
            let middle = start + split(size);
            let left = self.subtree(start, middle)?;
            let right = self.subtree(middle, end)?;
            return Ok(Hash::node(&left, &right));
        }
        let height = size.ilog2();
        let level = height / HEIGHT;
        let first = start >> (level * HEIGHT);
        let count = 1_usize << (height % HEIGHT);
        let hashes = self.tile(level as u8, first / u64::from(WIDTH))?;
        let from = (first % u64::from(WIDTH)) as usize;
        // Within the tile: the range ends within the tree, and a power of two does not cross tiles.
        Ok(Hash::root(&hashes[from..from + count]))
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], R::Error> {
        let known = self
            .tiles
            .iter()
            .position(|(tile, _)| tile.level == level && tile.index == index);
        let position = match known {
            Some(position) => position,
            None => {
                let size = self.size;
                let tile =
                    Tile::of_tree(level, index, size).ok_or(Error::NotInTree { index, size })?;
                let hashes = read(self.reader, tile)?;
                self.tiles.push((tile, hashes));
                self.tiles.len() - 1
            }
        };
        Ok(&self.tiles[position].1)
    }
}
