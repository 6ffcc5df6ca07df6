//! What both finalize functions share: arguments checked, then registry entry, version and bundle in one statement.

use std::cell::Cell;
use std::ffi::CStr;

use ext_registry_core::{
    ContentHash, Encoding, Issue, MAX_MANIFEST_BYTES, Manifest, PublishTimes, Requested,
};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::SpiClient;
use uuid::Uuid;

use crate::error::{Duplicate, Error};
use crate::ffi::{self, Call, Setting};
use crate::statements::{Row, Statements};
use crate::tables::Tables;

/// Binary jsonb takes up to this many times the bytes of its text (`[1,1,…]`); above it the text is too long anyway.
const JSONB_OVERHEAD: usize = 16;

/// Up to this size a manifest is printed without a look at its numbers.
const PRINTED_AT_ONCE: usize = 4096;

/// Longest signature, in bytes.
const MAX_SIGNATURE: usize = 64 * 1024;

/// Longest storage URL, in bytes.
const MAX_STORAGE_URL: usize = 8 * 1024;

/// How often in a row a row that is neither stored nor in anybody's way is taken for a race about the registry entry
/// before it is called suppressed.
const ATTEMPTS: u32 = 8;

/// What holds while finalize writes. Plans are kept: one made while a table was empty must not scan it once it is not.
/// The last one spares a version's only bundle the guard that words the refusal of a second one.
const SETTINGS: [Setting; 2] = [
    (c"enable_seqscan", c"off"),
    (c"ext_registry.finalizing", c"on"),
];

/// What is to be published. `signature` and `storage_url` are passed on as they came: argument numbers.
pub struct Publication<'a> {
    pub manifest: Manifest<'a>,
    pub content_hash: ContentHash,
    pub size_bytes: Option<i64>,
    pub signature: usize,
    pub storage_url: usize,
}

/// The row that a finalize function returns.
pub struct Published {
    extension_id: pgrx::Uuid,
    version_id: pgrx::Uuid,
    version: String,
    content_hash: String,
    published_at: TimestampWithTimeZone,
}

impl Published {
    pub fn into_row(
        self,
    ) -> (
        pgrx::Uuid,
        pgrx::Uuid,
        String,
        String,
        TimestampWithTimeZone,
    ) {
        (
            self.extension_id,
            self.version_id,
            self.version,
            self.content_hash,
            self.published_at,
        )
    }
}

/// The manifest in argument 0.
pub fn manifest(call: &Call) -> Result<Manifest<'_>, Error> {
    let size = call.size(0).ok_or(Error::NullArgument("manifest"))?;
    let too_long = || {
        unreadable(format!(
            "must not be longer than {MAX_MANIFEST_BYTES} bytes"
        ))
    };
    if size > MAX_MANIFEST_BYTES * JSONB_OVERHEAD
        || size > PRINTED_AT_ONCE && call.numbers_exceed(0, MAX_MANIFEST_BYTES)
    {
        return Err(too_long());
    }
    let text = call.jsonb_text(0).ok_or(Error::NullArgument("manifest"))?;
    // No encoding takes twice what UTF-8 takes.
    if text.len() > 2 * MAX_MANIFEST_BYTES {
        return Err(too_long());
    }
    let text = ffi::utf8_from_server(text)
        .map_err(|_| unreadable("has a character that Unicode does not have".to_owned()))?;
    let encoding = match ffi::database_encoding() {
        pg_sys::pg_enc::PG_UTF8 => Encoding::Utf8(ffi::nfc),
        pg_sys::pg_enc::PG_SQL_ASCII => Encoding::SqlAscii,
        _ => Encoding::Other,
    };
    Manifest::parse_for(text, encoding).map_err(Error::InvalidManifest)
}

/// An issue with the manifest as a whole.
fn unreadable(message: String) -> Error {
    Error::InvalidManifest(Issue::whole(message).into())
}

/// The content hash in an argument; `None` when it is NULL.
pub fn content_hash(call: &Call, index: usize) -> Result<Option<ContentHash>, Error> {
    const SHOWN: usize = 200;
    let Some(bytes) = call.bytes(index) else {
        return Ok(None);
    };
    // What is no UTF-8 is no hash either.
    let parsed = std::str::from_utf8(bytes).unwrap_or_default().parse();
    parsed.map(Some).map_err(|error| {
        let shown = &bytes[..bytes.len().min(SHOWN)];
        Error::InvalidContentHash {
            given: ffi::readable(shown),
            error,
        }
    })
}

/// Signature and storage URL are stored as they come, within these bounds.
fn check_texts(call: &Call, publication: &Publication<'_>) -> Result<(), Error> {
    let size = |argument| call.size(argument).unwrap_or(0);
    let wrong = |argument, reason| Err(Error::InvalidArgument { argument, reason });
    if size(publication.signature) > MAX_SIGNATURE {
        return wrong("signature", "a signature has at most 65536 bytes");
    }
    if size(publication.storage_url) > MAX_STORAGE_URL {
        return wrong("storage_url", "a storage URL has at most 8192 bytes");
    }
    let url = call.bytes(publication.storage_url).unwrap_or_default();
    // What has no UTF-8 form may end the text that is read, so those of ASCII are looked for in all of it.
    if url.iter().any(u8::is_ascii_control) || ffi::readable(url).contains(char::is_control) {
        return wrong("storage_url", "a storage URL has no control characters");
    }
    Ok(())
}

/// Publishes with the rights of the tables' owner, in the caller's transaction.
///
/// The unique constraint decides whether the version exists, so that a race has the same answer as a plain duplicate.
pub fn publish(call: &Call, publication: Publication<'_>) -> Result<Published, Error> {
    check_texts(call, &publication)?;
    ffi::refuse_read_only(c"finalize");
    let tables = Tables::of(
        call,
        &[
            c"extension_registry",
            c"extension_version",
            c"extension_bundle",
        ],
    )?;
    tables.as_owner(&SETTINGS, || {
        publish_as_owner(call, &publication, &tables.schema)
    })
}

fn publish_as_owner(
    call: &Call,
    publication: &Publication<'_>,
    schema: &CStr,
) -> Result<Published, Error> {
    let manifest = &publication.manifest;
    let wildcard = matches!(manifest.version, Requested::Wildcard(_));
    let content_hash = publication.content_hash.as_str();
    Spi::connect_mut(|client| {
        let statements = Statements::of_schema(client, schema)?;
        let stored = match manifest.names() {
            Some(names) => Some(as_stored(client, statements, call, manifest, &names)?),
            None => None,
        };
        let call = stored.as_ref().unwrap_or(call);
        let first_command = ffi::current_command();
        let mut taken = None;
        let mut unexplained = 0;
        loop {
            pgrx::check_for_interrupts!();
            let version = match &manifest.version {
                Requested::Exact(version) => version.clone(),
                Requested::Wildcard(series) => {
                    let highest = statements.highest_patch(client, call, &series.to_string())?;
                    series
                        .next_version(highest)
                        .map_err(|error| Error::InvalidManifest(Issue::version(&error).into()))?
                }
            };
            let row = Row {
                version: &version,
                content_hash,
                size_bytes: publication.size_bytes,
                signature: publication.signature,
                storage_url: publication.storage_url,
                api: manifest.normalised_api.as_deref(),
                published_at: publish_time(),
                version_id: Uuid::now_v7(),
                bundle_id: Uuid::now_v7(),
            };
            let mut inserted = statements.insert(client, call, &row)?;
            if inserted.is_none() {
                match statements.existing(client, call, &row)? {
                    // A trigger has swallowed our row and stored one of its own.
                    Some(existing) if existing.stored_since(first_command) => {
                        return Err(Error::NotStored("the version"));
                    }
                    // Another publish took this number: the next snapshot has a higher one. Where it has not, the
                    // column's collation takes two strings for one version, and there is nothing to wait for.
                    Some(_) if wildcard && taken.as_ref() != Some(&version) => {
                        taken = Some(version);
                        unexplained = 0;
                        continue;
                    }
                    Some(existing) => {
                        return Err(Error::VersionAlreadyExists(Box::new(Duplicate {
                            schema: schema.to_owned(),
                            publisher: manifest.publisher.to_string(),
                            name: manifest.name.to_string(),
                            version,
                            existing,
                        })));
                    }
                    None => {
                        // Random: apps put it into host names, of which the time would be the same for a minute.
                        inserted =
                            statements.insert_with_entry(client, call, &row, Uuid::new_v4())?;
                    }
                }
            }
            if let Some(inserted) = inserted {
                return Ok(Published {
                    extension_id: inserted.extension_id,
                    version_id: inserted.version_id,
                    version,
                    content_hash: content_hash.to_owned(),
                    published_at: inserted.published_at,
                });
            }
            // A concurrent publish created the entry, which the next snapshot shows.
            unexplained += 1;
            if unexplained == ATTEMPTS {
                let what = match statements.lock_entry(client, call)? {
                    Some(_) => "the version",
                    None => "the registry entry",
                };
                return Err(Error::NotStored(what));
            }
        }
    })
}

/// The call with the names as they are stored, white space around them ignored. An entry from before it was must not
/// get a second one beside it by the call that made it.
fn as_stored(
    client: &SpiClient<'_>,
    statements: &Statements,
    call: &Call,
    manifest: &Manifest<'_>,
    names: &str,
) -> Result<Call, Error> {
    let (stored, entry_as_given) = statements.as_stored(client, call, names)?;
    let old_entry = manifest.old_entry();
    if entry_as_given && !old_entry.is_empty() {
        return Err(Error::InvalidManifest(old_entry));
    }
    Ok(stored)
}

/// Now, in microseconds since 2000; within a transaction later than the last one, so that its publishes list in their
/// order.
pub fn publish_time() -> i64 {
    thread_local!(static TIMES: Cell<PublishTimes> = const { Cell::new(PublishTimes::new()) });
    let mut times = TIMES.get();
    let time = times.next(ffi::transaction(), ffi::clock());
    TIMES.set(times);
    time
}
