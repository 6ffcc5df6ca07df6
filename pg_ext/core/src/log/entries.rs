use crate::Error;

/// The longest entry that an entry bundle can hold: its length has two bytes.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// The entries of a tile of level 0 as C2SP tlog-tiles has them: each behind its length.
///
/// # Errors
/// [`Error::EntryTooLong`] for one that the format has no room for.
pub fn entry_bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Error> {
    let mut bundle = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| Error::EntryTooLong(entry.len()))?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}
