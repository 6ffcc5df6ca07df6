//! Tiles as they are stored: full ones as they are, partial ones as the hashes that they are made of.

use ext_registry_core::log::{Hash, Tile, TileReader, WIDTH};
use pgrx::prelude::*;

use super::{Log, signed};
use crate::error::Error;
use crate::ffi::Bytes;

const FULL: &str = "
    SELECT t.hashes FROM @schema@.extension_log_tile t WHERE t.level = $1 AND t.index = $2";

const LEAVES: &str = "
    SELECT string_agg(l.leaf_hash, '' ORDER BY l.leaf_index)
    FROM @schema@.extension_log_leaf l
    WHERE l.leaf_index >= $1 AND l.leaf_index < $2";

const ROOTS: &str = "
    SELECT string_agg(t.root, '' ORDER BY t.index)
    FROM @schema@.extension_log_tile t
    WHERE t.level = $1 AND t.index >= $2 AND t.index < $3";

/// Reads the tables.
pub struct StoredTiles<'a>(pub &'a Log);

impl TileReader for StoredTiles<'_> {
    type Error = Error;

    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let first = signed(tile.index * u64::from(WIDTH))?;
        let end = first + i64::from(tile.width);
        let level = i16::from(tile.level);
        let found: Option<Bytes> = Spi::connect(|client| {
            let found = match (tile.width, level) {
                (WIDTH, _) => {
                    let parameters = [level.into(), signed(tile.index)?.into()];
                    self.0.select(client, FULL, &parameters)?
                }
                (_, 0) => self.0.select(client, LEAVES, &[first.into(), end.into()])?,
                _ => {
                    let parameters = [(level - 1).into(), first.into(), end.into()];
                    self.0.select(client, ROOTS, &parameters)?
                }
            };
            let found = found.first();
            Ok::<_, Error>(if found.is_empty() {
                None
            } else {
                found.get(1)?
            })
        })?;
        match found {
            None => Ok(Vec::new()),
            Some(hashes) if hashes.len() > Hash::BYTES * usize::from(WIDTH) => {
                Err(ext_registry_core::Error::WrongTile(tile).into())
            }
            Some(hashes) => Ok(Hash::sequence(&hashes)?),
        }
    }
}

/// The bytes of a tile of the tree with `size` leaves, or of its first `width` hashes; `None` where that has none.
pub fn tile(
    log: &Log,
    size: u64,
    level: u8,
    index: u64,
    width: Option<u16>,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(whole) = Tile::of_tree(level, index, size) else {
        return Ok(None);
    };
    let width = width.unwrap_or(whole.width);
    if width == 0 || width > whole.width {
        return Ok(None);
    }
    let hashes = StoredTiles(log).read(whole)?;
    if hashes.len() != usize::from(whole.width) {
        return Err(ext_registry_core::Error::WrongTile(whole).into());
    }
    let bytes = hashes[..usize::from(width)].iter().flat_map(Hash::as_bytes);
    Ok(Some(bytes.copied().collect()))
}

/// The hash of a leaf of the tree with `size` leaves, as its tile has it.
pub fn leaf(reader: &mut StoredTiles<'_>, index: u64, size: u64) -> Result<Hash, Error> {
    let missing = || ext_registry_core::Error::NotInTree { index, size };
    let width = u64::from(WIDTH);
    let tile = Tile::of_tree(0, index / width, size).ok_or_else(missing)?;
    let hashes = reader.read(tile)?;
    Ok(*hashes.get((index % width) as usize).ok_or_else(missing)?)
}
