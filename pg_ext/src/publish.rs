//! What both finalize functions share: arguments checked, then registry entry, version and bundle in one statement.

use std::cell::Cell;
use std::ffi::CStr;

use ext_registry_core::{
    ContentHash, Counting, Issue, MAX_MANIFEST_BYTES, Manifest, Requested, Series,
};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;
use uuid::Uuid;

use crate::error::{Duplicate, Error};
use crate::ffi::{self, Call, Setting};
use crate::statements::{Row, Statements};
use crate::tables::Tables;

/// Binary jsonb takes up to this many times the bytes of its text (`[1,1,…]`); above it the text is too long anyway.
const JSONB_OVERHEAD: usize = 16;

/// Up to this size a manifest is printed without a look at its numbers.
const PRINTED_AT_ONCE: usize = 4096;

/// How often a conflict with a version that nobody can see is taken for a race before it is called suppressed.
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
    let counting = if ffi::database_encoding() == pg_sys::pg_enc::PG_SQL_ASCII {
        Counting::Bytes
    } else {
        Counting::Characters
    };
    Manifest::parse_counting(text, counting).map_err(Error::InvalidManifest)
}

/// An issue with the manifest as a whole.
fn unreadable(message: String) -> Error {
    Error::InvalidManifest(vec![Issue {
        path: String::new(),
        message: message.into(),
    }])
}

/// The content hash in an argument; `None` when it is NULL.
pub fn content_hash(call: &Call, index: usize) -> Result<Option<ContentHash>, Error> {
    const SHOWN: usize = 200;
    let Some(bytes) = call.bytes(index) else {
        return Ok(None);
    };
    let parsed = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| {
        let shown = &bytes[..bytes.len().min(SHOWN)];
        Error::InvalidContentHash {
            given: ffi::readable(shown),
        }
    })
}

/// Publishes with the rights of the tables' owner, in the caller's transaction.
///
/// The unique constraint decides whether the version exists, so that a race has the same answer as a plain duplicate.
pub fn publish(call: &Call, publication: Publication<'_>) -> Result<Published, Error> {
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
        let mut attempts = 0;
        loop {
            pgrx::check_for_interrupts!();
            attempts += 1;
            let version = match &manifest.version {
                Requested::Exact(version) => version.clone(),
                Requested::Wildcard(series) => {
                    let highest = statements.highest_patch(client, call, &series.to_string())?;
                    next_version(*series, highest.as_deref())?
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
                if !wildcard
                    && let Some(existing) =
                        statements.existing(client, call, &version, content_hash)?
                {
                    return Err(Error::VersionAlreadyExists(Box::new(Duplicate {
                        schema: schema.to_owned(),
                        publisher: manifest.publisher.to_string(),
                        name: manifest.name.to_string(),
                        version,
                        extension_id: existing.extension_id,
                        existing_id: existing.version_id,
                        existing_hash: existing.content_hash,
                        existing_published_at: existing.published_at,
                        same_content: existing.same_content,
                    })));
                }
                inserted = statements.insert_with_entry(client, call, &row, Uuid::now_v7())?;
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
            // A concurrent publish took this number, or created the entry: the next snapshot shows it.
            if attempts >= ATTEMPTS && !wildcard {
                return Err(Error::NotStored("the version"));
            }
        }
    })
}

/// The version after the highest patch number. Old rows may hold a number beyond 64 bits: nothing comes after it.
fn next_version(series: Series, highest: Option<&str>) -> Result<String, Error> {
    let highest = highest.map(|digits| digits.parse().unwrap_or(u64::MAX));
    series
        .next_version(highest)
        .map_err(|error| Error::InvalidManifest(vec![Issue::version(&error)]))
}

/// Now, in microseconds since 2000; later than the last one, so that one backend's publishes list in their order
/// even where the clock was set back.
pub fn publish_time() -> i64 {
    thread_local!(static LAST: Cell<i64> = const { Cell::new(i64::MIN) });
    LAST.with(|last| {
        let now = ffi::clock().max(last.get().saturating_add(1));
        last.set(now);
        now
    })
}
