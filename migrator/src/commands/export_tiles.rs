//! `export-tiles`: the log as files in the layout of C2SP tlog-tiles. Files that are there stay: tiles never change.

use std::fmt;
use std::path::Path;

use ext_registry_core::log::{
    Checkpoint, Hash, MAX_ENTRY_BYTES, Tile, TileReader, WIDTH, consistency_proof, entry_bundle,
    root, verify_consistency,
};
use postgres::Transaction;
use serde::Serialize;

use crate::cli::ExportTilesArgs;
use crate::commands::Context;
use crate::commands::audit::public_key;
use crate::error::{Error, Exit};
use crate::files;
use crate::log::{self, Kept, Progress, Rows, StoredTiles};
use crate::schema::Schema;

/// What `export-tiles` wrote; `doc/ext-migrate.md` shows it as JSON.
#[derive(Serialize)]
struct Report {
    schema: String,
    directory: String,
    origin: String,
    tree_size: u64,
    tiles_written: u64,
    entry_bundles_written: u64,
    /// An entry in them is longer than the 65,535 bytes that the format has room for.
    entry_bundles_left_out: u64,
}

/// Exits with 9 where what is stored is not what was sealed, or not what was exported before: then the checkpoint that
/// readers see stays as it is.
pub fn run(context: &Context, args: &ExportTilesArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let directory = &args.directory;
    let published = Kept::read_if_there(&directory.join("checkpoint"))?;
    let mut session = context.connect()?;
    let mut transaction = session.read_only()?;
    let checkpoint = &log::latest(&mut transaction, &schema)?.ok_or(Error::NotSealed)?;
    let key = args
        .public_key
        .as_deref()
        .map(|path| public_key(&files::read_text(path)?, Some(&checkpoint.origin), path))
        .transpose()?;
    let signed = log::note(&mut transaction, &schema, checkpoint.clone(), key.as_ref())?;
    if let Some(key) = &key {
        signed.verify(key)?;
    }
    {
        let mut stored = StoredTiles::new(&mut transaction, &schema);
        if root(checkpoint.size, &mut stored)? != checkpoint.root {
            return Err(changed("the tiles are not those of the latest checkpoint"));
        }
        if let Some(Kept(published)) = &published {
            continues(&published.checkpoint, checkpoint, &mut stored)?;
        }
    }
    let mut report = Report {
        schema: schema.name().to_owned(),
        directory: directory.display().to_string(),
        origin: checkpoint.origin.clone(),
        tree_size: checkpoint.size,
        tiles_written: 0,
        entry_bundles_written: 0,
        entry_bundles_left_out: 0,
    };
    let mut progress = Progress::new(context.output, "leaves", checkpoint.size);
    for tile in Tile::all_of_tree(checkpoint.size) {
        report.tile(&mut transaction, &schema, directory, tile)?;
        if tile.level == 0 {
            report.entries(&mut transaction, &schema, directory, tile)?;
            progress.at(tile.index * u64::from(WIDTH) + u64::from(tile.width));
        }
    }
    drop(progress);
    files::replace(&directory.join("checkpoint"), signed.note.as_bytes())?;
    context.output.result(&report)?;
    Ok(Exit::Done)
}

fn continues(
    published: &Checkpoint,
    latest: &Checkpoint,
    stored: &mut StoredTiles<'_, '_>,
) -> Result<(), Error> {
    let refused = || {
        changed(&format!(
            "the log does not continue the checkpoint of {} leaves that was exported before",
            published.size
        ))
    };
    if published.origin != latest.origin || published.size > latest.size {
        return Err(refused());
    }
    let proof = consistency_proof(published.size, latest.size, stored)?;
    verify_consistency(
        published.size,
        published.root,
        latest.size,
        latest.root,
        &proof,
    )
    .map_err(|_| refused())
}

fn changed(what: &str) -> Error {
    Error::HistoryChanged(format!(
        "{what}: the exported checkpoint stays as it is; ext-migrate audit says more"
    ))
}

impl Report {
    fn tile(
        &mut self,
        transaction: &mut Transaction<'_>,
        schema: &Schema,
        directory: &Path,
        tile: Tile,
    ) -> Result<(), Error> {
        let path = directory.join(tile.path());
        if path.exists() {
            return Ok(());
        }
        let hashes = hashes(transaction, schema, tile)?;
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        files::replace(&path, &bytes)?;
        self.tiles_written += 1;
        Ok(())
    }

    /// The data of the leaves under a tile of level 0. Each is compared with its hash before it is written.
    fn entries(
        &mut self,
        transaction: &mut Transaction<'_>,
        schema: &Schema,
        directory: &Path,
        tile: Tile,
    ) -> Result<(), Error> {
        let path = directory.join(tile.entries_path());
        if path.exists() {
            return Ok(());
        }
        let first = tile.index * u64::from(WIDTH);
        let end = first + u64::from(tile.width);
        let hashes = hashes(transaction, schema, tile)?;
        let rows = Rows::open(transaction, schema, first, end)?;
        let mut entries: Vec<Vec<u8>> = Vec::with_capacity(hashes.len());
        let (mut compared, mut fits) = (0, true);
        let missing = |from: usize| changed(&format!("leaf {} is missing", first + from as u64));
        rows.each(transaction, hashes.len(), |record| {
            let name = record.name();
            if record.index != first + compared as u64 {
                return Err(missing(compared));
            }
            match record.data() {
                Some(data) if hashes.get(compared) == Some(&Hash::leaf(&data)) => {
                    compared += 1;
                    fits &= data.len() <= MAX_ENTRY_BYTES;
                    if fits {
                        entries.push(data);
                    }
                    Ok(())
                }
                Some(_) => Err(changed(&format!("{name} has changed"))),
                None => Err(changed(&format!("{name} is gone"))),
            }
        })?;
        if compared != hashes.len() {
            return Err(missing(compared));
        }
        if !fits {
            self.entry_bundles_left_out += 1;
            return Ok(());
        }
        files::replace(&path, &entry_bundle(entries.iter().map(Vec::as_slice))?)?;
        self.entry_bundles_written += 1;
        Ok(())
    }
}

fn hashes(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    tile: Tile,
) -> Result<Vec<Hash>, Error> {
    let hashes = StoredTiles::new(transaction, schema).read(tile)?;
    match hashes.len() == usize::from(tile.width) {
        true => Ok(hashes),
        false => Err(changed(&format!("the stored {} is damaged", tile.path()))),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "log {}, {} leaves: {} tiles and {} entry bundles written to {}",
            self.origin,
            self.tree_size,
            self.tiles_written,
            self.entry_bundles_written,
            self.directory
        )?;
        match self.entry_bundles_left_out {
            0 => Ok(()),
            left_out => write!(
                f,
                "{left_out} entry bundles left out: an entry is longer than {MAX_ENTRY_BYTES} bytes"
            ),
        }
    }
}
