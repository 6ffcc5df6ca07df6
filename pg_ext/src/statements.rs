//! The queries of the finalize functions and their kept plans.

use std::cell::Cell;
use std::ffi::{CStr, CString};

use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use pgrx::pg_sys::pg_enc::{PG_SQL_ASCII, PG_UTF8};
use pgrx::pg_sys::{INT8OID, JSONBOID, Oid, PgOid, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use pgrx::spi::{OwnedPreparedStatement, SpiClient};
use uuid::Uuid;

use crate::citus;
use crate::error::{Error, ascii_json};
use crate::ffi::{self, Call};
use crate::tables::in_schema;

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
    pub version_id: Uuid,
    pub bundle_id: Uuid,
}

/// A version that has been inserted, with its bundle.
pub struct Inserted {
    pub extension_id: pgrx::Uuid,
    pub version_id: pgrx::Uuid,
    pub published_at: TimestampWithTimeZone,
}

/// The published version that stands in the way, and how it compares with what was to be stored.
#[derive(Debug)]
pub struct Existing {
    pub extension_id: pgrx::Uuid,
    pub version_id: pgrx::Uuid,
    pub content_hash: Option<String>,
    /// ISO 8601; NULL on old rows without a publish time.
    pub published_at: Option<String>,
    pub same: Same,
    /// The transaction and the command of it that stored the version.
    stored_by: Option<(u32, u32)>,
}

/// What is as it was to be stored. Compared is the bundle with this hash, else the one that the list shows.
#[derive(Debug, Clone, Copy)]
pub struct Same {
    /// One of the version's bundles has this hash.
    pub content: bool,
    pub manifest: bool,
    pub signature: bool,
}

impl Same {
    /// Whether the call has published it before.
    pub fn all(self) -> bool {
        self.content && self.manifest && self.signature
    }
}

impl Existing {
    /// Whether this transaction stored it, in this command or a later one.
    pub fn stored_since(&self, command: u32) -> bool {
        self.stored_by
            .is_some_and(|(transaction, of)| of >= command && ffi::is_current(transaction))
    }
}

/// Kept plans, made once per backend and schema name.
pub struct Statements {
    schema: CString,
    insert: OwnedPreparedStatement,
    insert_with_entry: OwnedPreparedStatement,
    citus: Option<citus::Entry>,
    existing: OwnedPreparedStatement,
    lock_entry: OwnedPreparedStatement,
    highest_patch: OwnedPreparedStatement,
}

const AS_STORED: &str = include_str!("statements/as_stored.sql");
const INSERT: &str = include_str!("statements/insert.sql");
const ENTRY: &str = include_str!("statements/entry.sql");
const NEW_ENTRY: &str = include_str!("statements/new_entry.sql");
const MANIFEST: &str = include_str!("statements/manifest.sql");
const EXISTING: &str = include_str!("statements/existing.sql");
const LOCK_ENTRY: &str = include_str!("statements/lock_entry.sql");
const HIGHEST_PATCH: &str = include_str!("statements/highest_patch.sql");

/// Types of the parameters of INSERT and EXISTING; the last one belongs to NEW_ENTRY and to the known entry on Citus.
const ROW_TYPES: [Oid; 11] = [
    JSONBOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    INT8OID,
    TEXTOID,
    UUIDOID,
    UUIDOID,
    TIMESTAMPTZOID,
    UUIDOID,
];

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
        let of_row = |sql: &str, parameters: usize| {
            let sql = sql.replace("@manifest@", MANIFEST);
            prepare(&sql, &ROW_TYPES[..parameters])
        };
        let insert = |entry: &str, parameters: usize| {
            of_row(&INSERT.replace("@extension@", entry), parameters)
        };
        let citus = citus::Entry::prepare(prepare)?;
        let (entry, parameters) = match citus {
            Some(_) => (citus::KNOWN_ENTRY, 11),
            None => (ENTRY, 10),
        };
        Ok(Self {
            schema: schema.to_owned(),
            insert: insert(entry, parameters)?,
            insert_with_entry: insert(NEW_ENTRY, 11)?,
            citus,
            existing: of_row(EXISTING, 10)?,
            lock_entry: prepare(LOCK_ENTRY, &[JSONBOID])?,
            highest_patch: prepare(HIGHEST_PATCH, &[UUIDOID, TEXTOID])?,
        })
    }

    /// The call with the manifest's names as they are stored, `names` being those that were given otherwise, and
    /// whether there is an entry with those that were given. What it gives holds until SPI is left.
    pub fn as_stored(
        &self,
        client: &SpiClient<'_>,
        call: &Call,
        names: &str,
    ) -> Result<(Call, bool), Error> {
        let sql = in_schema(AS_STORED, &ffi::quote_identifier(&self.schema));
        let parameters = [call.parameter(0, JSONBOID), stored_json(names).into()];
        let stored = client.select(&sql, Some(1), &parameters)?.first();
        let manifest = stored.get(1)?.ok_or(Error::NullArgument("manifest"))?;
        Ok((call.with_jsonb(0, manifest), stored.get(2)? == Some(true)))
    }

    /// Inserts version and bundle. Nothing where the version exists or the entry is missing.
    pub fn insert(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        row: &Row<'_>,
    ) -> Result<Option<Inserted>, Error> {
        match &self.citus {
            None => inserted(client, &self.insert, &row.parameters(call)),
            Some(entry) => {
                let entry = entry.find(client, call)?;
                self.insert_for(client, call, row, entry)
            }
        }
    }

    /// The same, with the entry where it is missing. Nothing where the version exists, or where a transaction that
    /// this statement's snapshot does not show has created the entry.
    pub fn insert_with_entry(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        row: &Row<'_>,
        entry_id: Uuid,
    ) -> Result<Option<Inserted>, Error> {
        if let Some(entry) = &self.citus {
            let entry = entry.find_or_create(client, call, entry_id)?;
            return self.insert_for(client, call, row, entry);
        }
        let mut parameters = row.parameters(call);
        parameters.push(uuid(entry_id));
        inserted(client, &self.insert_with_entry, &parameters)
    }

    /// On Citus, where the entry is known before.
    fn insert_for(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        row: &Row<'_>,
        entry: Option<pgrx::Uuid>,
    ) -> Result<Option<Inserted>, Error> {
        let Some(entry) = entry else {
            return Ok(None);
        };
        let mut parameters = row.parameters(call);
        parameters.push(entry.into());
        inserted(client, &self.insert, &parameters)
    }

    /// The version that is published already, if this snapshot shows it.
    pub fn existing(
        &self,
        client: &SpiClient<'_>,
        call: &Call,
        row: &Row<'_>,
    ) -> Result<Option<Existing>, Error> {
        let mut existing: Option<Existing> = None;
        for bundle in client.select(&self.existing, None, &row.parameters(call))? {
            let same = Same {
                content: bundle.get(5)? == Some(true),
                manifest: bundle.get(6)? == Some(true),
                signature: bundle.get(7)? == Some(true),
            };
            if let Some(existing) = &mut existing {
                if same.content {
                    existing.same = same;
                }
            } else if let (Some(extension_id), Some(version_id)) = (bundle.get(1)?, bundle.get(2)?)
            {
                existing = Some(Existing {
                    extension_id,
                    version_id,
                    content_hash: bundle.get::<Vec<u8>>(3)?.map(|hash| ffi::readable(&hash)),
                    published_at: bundle.get(4)?,
                    same,
                    stored_by: match self.citus {
                        None => number(bundle.get(8)?).zip(number(bundle.get(9)?)),
                        // There the numbers are those of another session, and no trigger can store anything.
                        Some(_) => None,
                    },
                });
            }
            if same.content {
                break;
            }
        }
        Ok(existing)
    }

    /// The entry, once earlier wildcard publishes of the extension have ended.
    pub fn lock_entry(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
    ) -> Result<Option<pgrx::Uuid>, Error> {
        let entry = client
            .update(&self.lock_entry, Some(1), &[call.parameter(0, JSONBOID)])?
            .first();
        if entry.is_empty() {
            return Ok(None);
        }
        Ok(entry.get(1)?)
    }

    /// The highest patch number below 2^53 of a `MAJOR.MINOR` series, once earlier wildcard publishes have ended.
    pub fn highest_patch(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        series: &str,
    ) -> Result<Option<u64>, Error> {
        let Some(entry) = self.lock_entry(client, call)? else {
            return Ok(None);
        };
        // A statement of its own: only a snapshot taken after the lock shows what the one before us published.
        let highest = client
            .update(&self.highest_patch, Some(1), &[entry.into(), series.into()])?
            .first();
        if highest.is_empty() {
            return Ok(None);
        }
        let highest: Option<i64> = highest.get(1)?;
        Ok(highest.and_then(|highest| u64::try_from(highest).ok()))
    }
}

impl Row<'_> {
    /// The parameters of INSERT.
    fn parameters<'a>(&'a self, call: &'a Call) -> Vec<DatumWithOid<'a>> {
        vec![
            call.parameter(0, JSONBOID),
            self.version.into(),
            self.content_hash.into(),
            call.parameter(self.signature, TEXTOID),
            call.parameter(self.storage_url, TEXTOID),
            self.size_bytes.into(),
            self.api.map(stored_json).into(),
            uuid(self.version_id),
            uuid(self.bundle_id),
            timestamp(self.published_at),
        ]
    }
}

/// Runs INSERT and reads its row.
fn inserted(
    client: &mut SpiClient<'_>,
    statement: &OwnedPreparedStatement,
    parameters: &[DatumWithOid<'_>],
) -> Result<Option<Inserted>, Error> {
    let stored = client.update(statement, None, parameters)?.first();
    if stored.is_empty() {
        return Ok(None);
    }
    if stored.get::<bool>(4)? != Some(true) {
        return Err(Error::NotStored("the bundle"));
    }
    Ok(Some(Inserted {
        extension_id: stored
            .get(1)?
            .ok_or(Error::NotStored("the registry entry"))?,
        version_id: stored.get(2)?.ok_or(Error::NotStored("the version"))?,
        published_at: stored.get(3)?.ok_or(Error::NotStored("the publish time"))?,
    }))
}

/// JSON text for the server to parse. SQL_ASCII knows no `\u` escapes: there the bytes are stored as they came.
fn stored_json(text: &str) -> String {
    match ffi::database_encoding() {
        PG_SQL_ASCII | PG_UTF8 => text.to_owned(),
        _ => ascii_json(text.to_owned()),
    }
}

/// The number of a transaction or of a command.
fn number(number: Option<i64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}

fn uuid<'a>(id: Uuid) -> DatumWithOid<'a> {
    pgrx::Uuid::from_bytes(*id.as_bytes()).into()
}

fn timestamp<'a>(microseconds: i64) -> DatumWithOid<'a> {
    match TimestampWithTimeZone::try_from(microseconds) {
        Ok(time) => time.into(),
        Err(_) => DatumWithOid::null_oid(TIMESTAMPTZOID),
    }
}
