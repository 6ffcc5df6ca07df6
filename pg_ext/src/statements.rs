//! The queries of the finalize functions and their kept plans.

use std::cell::Cell;
use std::ffi::{CStr, CString};

use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use pgrx::pg_sys::pg_enc::PG_SQL_ASCII;
use pgrx::pg_sys::{INT8OID, JSONBOID, Oid, PgOid, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use pgrx::spi::{OwnedPreparedStatement, SpiClient};
use uuid::Uuid;

use crate::error::{Error, ascii_json};
use crate::ffi::{self, Call};

/// What goes into the tables besides the manifest's own sub-objects, which the statement takes from the jsonb.
pub struct Row<'a> {
    pub version: &'a str,
    pub content_hash: &'a str,
    pub size_bytes: Option<i64>,
    /// Number of the argument.
    pub signature: usize,
    /// Number of the argument.
    pub storage_url: usize,
    /// The manifest's api where it is stored otherwise than given.
    pub api: Option<&'a str>,
    /// Microseconds since 2000.
    pub published_at: i64,
    /// Of the registry entry, should it be missing, of the version, and of the bundle.
    pub ids: [Uuid; 3],
}

/// What became of an insert.
pub enum Inserted {
    Published {
        extension_id: pgrx::Uuid,
        version_id: pgrx::Uuid,
        published_at: TimestampWithTimeZone,
    },
    VersionExists {
        extension_id: pgrx::Uuid,
    },
    /// The entry was created by a transaction that this statement's snapshot does not show.
    EntryExists,
}

/// The published version that stands in the way.
pub struct Existing {
    pub version_id: pgrx::Uuid,
    pub content_hash: Option<String>,
    pub published_at: Option<String>,
    pub same_content: bool,
}

/// Kept plans, made once per backend and schema name.
pub struct Statements {
    schema: CString,
    insert: OwnedPreparedStatement,
    existing: OwnedPreparedStatement,
    lock_entry: OwnedPreparedStatement,
    highest_patch: OwnedPreparedStatement,
}

/// One statement for all three tables. The entry is locked against deletion before the version refers to it; a
/// version that exists gives a row without version id; an entry that only later snapshots show gives no row.
const INSERT: &str = r#"
WITH entry AS (
    SELECT r.id
    FROM @schema@.extension_registry r
    WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
    FOR KEY SHARE
), created AS (
    INSERT INTO @schema@.extension_registry (id, publisher, name)
    SELECT $8, $1 ->> 'publisher', $1 ->> 'name'
    WHERE NOT EXISTS (SELECT FROM entry)
    ON CONFLICT (publisher, name) DO NOTHING
    RETURNING id
), extension AS (
    SELECT id FROM entry UNION ALL SELECT id FROM created
), version AS (
    INSERT INTO @schema@.extension_version
        (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, assets, created_at)
    SELECT
        $9, e.id, $2, $1 ->> 'runtime', COALESCE($1 #>> '{ui,entry}', 'main'),
        api.given, COALESCE(NULLIF(api.given -> 'endpoints', 'null'), '[]'),
        NULLIF($1 -> 'ui', 'null'), COALESCE(NULLIF($1 -> 'capabilities', 'null'), '[]'),
        NULLIF($1 -> 'assets', 'null'), $11
    FROM extension e, (VALUES (COALESCE($7::jsonb, NULLIF($1 -> 'api', 'null'), '{}'))) api (given)
    ON CONFLICT (registry_id, version) DO NOTHING
    RETURNING id, created_at
), bundle AS (
    INSERT INTO @schema@.extension_bundle
        (id, version_id, content_hash, signature, precompiled, storage_url, size_bytes, created_at)
    SELECT $10, v.id, $3, $4, NULLIF($1 -> 'precompiled', 'null'), $5, $6, v.created_at
    FROM version v
    RETURNING version_id
)
SELECT e.id, v.id, v.created_at, b.version_id IS NOT NULL
FROM extension e
LEFT JOIN version v ON true
LEFT JOIN bundle b ON true
"#;

/// The version in the way, as the list shows it. Old hashes may be in upper case or without prefix.
const EXISTING: &str = r#"
SELECT
    v.id,
    convert_to(b.content_hash, getdatabaseencoding()),
    to_json(v.created_at) #>> '{}',
    EXISTS (
        SELECT
        FROM @schema@.extension_bundle c
        WHERE c.version_id = v.id AND lower(c.content_hash) IN ($3, substr($3, 8))
    )
FROM @schema@.extension_version v
LEFT JOIN LATERAL (
    SELECT c.content_hash
    FROM @schema@.extension_bundle c
    WHERE c.version_id = v.id
    ORDER BY c.created_at DESC NULLS LAST, c.content_hash COLLATE "C" DESC
    LIMIT 1
) b ON true
WHERE v.registry_id = $1 AND v.version = $2
"#;

/// Wildcard publishes of one extension queue here, so that each sees the number that the one before it took.
/// Publishes of a given version pass: their FOR KEY SHARE does not conflict.
const LOCK_ENTRY: &str = r#"
SELECT r.id
FROM @schema@.extension_registry r
WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
FOR NO KEY UPDATE
"#;

/// The first entry of extension_version_release_idx for the series, read backwards. Old rows may hold what is nearly
/// SemVer: a number beyond 64 bits, build metadata with an empty part.
const HIGHEST_PATCH: &str = r#"
SELECT substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')
FROM @schema@.extension_version v
WHERE v.registry_id = $1
  AND substring(v.version COLLATE "C" FROM '^([0-9]+[.][0-9]+)[.]') = $2
  AND v.version COLLATE "C" ~ '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)([+][0-9A-Za-z.-]+)?$'
  AND substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric <= 18446744073709551615
  AND v.version COLLATE "C" !~ '[+.][.]|[.]$'
ORDER BY substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric DESC
LIMIT 1
"#;

impl Statements {
    /// The plans for the tables of a schema.
    pub fn of_schema(client: &SpiClient<'_>, schema: &CStr) -> Result<&'static Self, Error> {
        // Leaked on purpose: freeing a plan while the backend exits is not safe, and a backend sees one schema.
        thread_local!(static KEPT: Cell<Option<&'static Statements>> = const { Cell::new(None) });
        if let Some(kept) = KEPT.get()
            && kept.schema.as_c_str() == schema
        {
            return Ok(kept);
        }
        let fresh: &'static Self = Box::leak(Box::new(Self::prepare(client, schema)?));
        KEPT.set(Some(fresh));
        Ok(fresh)
    }

    fn prepare(client: &SpiClient<'_>, schema: &CStr) -> Result<Self, Error> {
        let quoted = ffi::quote_identifier(schema);
        let prepare = |sql: &str, types: &[Oid]| {
            let types: Vec<_> = types.iter().map(|oid| PgOid::from(*oid)).collect();
            let plan = client.prepare_mut(&in_schema(sql, &quoted), &types)?;
            Ok::<_, Error>(plan.keep())
        };
        Ok(Self {
            schema: schema.to_owned(),
            insert: prepare(
                INSERT,
                &[
                    JSONBOID,
                    TEXTOID,
                    TEXTOID,
                    TEXTOID,
                    TEXTOID,
                    INT8OID,
                    TEXTOID,
                    UUIDOID,
                    UUIDOID,
                    UUIDOID,
                    TIMESTAMPTZOID,
                ],
            )?,
            existing: prepare(EXISTING, &[UUIDOID, TEXTOID, TEXTOID])?,
            lock_entry: prepare(LOCK_ENTRY, &[JSONBOID])?,
            highest_patch: prepare(HIGHEST_PATCH, &[UUIDOID, TEXTOID])?,
        })
    }

    /// Inserts entry, version and bundle as far as they are missing.
    pub fn insert(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        row: &Row<'_>,
    ) -> Result<Inserted, Error> {
        let [entry_id, version_id, bundle_id] =
            row.ids.map(|id| pgrx::Uuid::from_bytes(*id.as_bytes()));
        let stored = client
            .update(
                &self.insert,
                None,
                &[
                    call.parameter(0, JSONBOID),
                    row.version.into(),
                    row.content_hash.into(),
                    call.parameter(row.signature, TEXTOID),
                    call.parameter(row.storage_url, TEXTOID),
                    row.size_bytes.into(),
                    row.api.map(stored_json).into(),
                    entry_id.into(),
                    version_id.into(),
                    bundle_id.into(),
                    timestamp(row.published_at),
                ],
            )?
            .first();
        if stored.is_empty() {
            return Ok(Inserted::EntryExists);
        }
        let extension_id = stored
            .get::<pgrx::Uuid>(1)?
            .ok_or(Error::NotStored("the registry entry"))?;
        let Some(version_id) = stored.get::<pgrx::Uuid>(2)? else {
            return Ok(Inserted::VersionExists { extension_id });
        };
        let published_at = stored
            .get::<TimestampWithTimeZone>(3)?
            .ok_or(Error::NotStored("the publish time"))?;
        if stored.get::<bool>(4)? != Some(true) {
            return Err(Error::NotStored("the bundle"));
        }
        Ok(Inserted::Published {
            extension_id,
            version_id,
            published_at,
        })
    }

    /// The version that is published already, if this snapshot shows it.
    pub fn existing(
        &self,
        client: &SpiClient<'_>,
        extension_id: pgrx::Uuid,
        version: &str,
        content_hash: &str,
    ) -> Result<Option<Existing>, Error> {
        let found = client
            .select(
                &self.existing,
                Some(1),
                &[extension_id.into(), version.into(), content_hash.into()],
            )?
            .first();
        let Some(version_id) = (if found.is_empty() {
            None
        } else {
            found.get::<pgrx::Uuid>(1)?
        }) else {
            return Ok(None);
        };
        Ok(Some(Existing {
            version_id,
            content_hash: found.get::<Vec<u8>>(2)?.map(|hash| ffi::readable(&hash)),
            published_at: found.get(3)?,
            same_content: found.get(4)?.unwrap_or(false),
        }))
    }

    /// The highest patch number of a `MAJOR.MINOR` series, once earlier wildcard publishes have ended.
    pub fn highest_patch(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        series: &str,
    ) -> Result<Option<String>, Error> {
        let entry = client
            .update(&self.lock_entry, Some(1), &[call.parameter(0, JSONBOID)])?
            .first();
        if entry.is_empty() {
            return Ok(None);
        }
        // A statement of its own: only a snapshot taken after the lock shows what the one before us published.
        let highest = client
            .update(
                &self.highest_patch,
                Some(1),
                &[entry.get::<pgrx::Uuid>(1)?.into(), series.into()],
            )?
            .first();
        if highest.is_empty() {
            Ok(None)
        } else {
            Ok(highest.get(1)?)
        }
    }
}

/// JSON text for the server to parse. SQL_ASCII knows no `\u` escapes: there the bytes are stored as they came.
fn stored_json(text: &str) -> String {
    if ffi::database_encoding() == PG_SQL_ASCII {
        text.to_owned()
    } else {
        ascii_json(text.to_owned())
    }
}

/// The statement with the schema's name put in. As bytes: the name is in the database's encoding.
fn in_schema(sql: &str, quoted: &CStr) -> CString {
    let parts: Vec<&[u8]> = sql.split("@schema@").map(str::as_bytes).collect();
    // Cannot happen: neither the literals above nor a C string have a NUL inside.
    CString::new(parts.join(quoted.to_bytes())).expect("SQL without NUL")
}

fn timestamp<'a>(microseconds: i64) -> DatumWithOid<'a> {
    match TimestampWithTimeZone::try_from(microseconds) {
        Ok(time) => time.into(),
        Err(_) => DatumWithOid::null_oid(TIMESTAMPTZOID),
    }
}
