//! Who holds the locks that a command did not get in time.

use postgres::GenericClient;

use crate::error::{Doing, Error};
use crate::schema::Schema;

/// What a lock must be at least to be in the way; the modes of PostgreSQL in their order, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum InTheWayOf {
    /// Any.
    Changing = 1,
    /// ACCESS EXCLUSIVE.
    Reading = 8,
}

/// The strongest first; the age only where the role may see it. A prepared transaction has no session.
const HOLDERS: &str = "
    SELECT format('%s holds %s on %s',
               coalesce('pid ' || l.pid || format(' (%s%s)', coalesce(nullif(a.application_name, ''), 'unnamed'),
                   ', in a transaction for ' || extract(epoch FROM clock_timestamp() - a.xact_start)::int8 || ' s'),
                   'a prepared transaction'),
               l.mode, c.relname)
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    CROSS JOIN LATERAL array_position(ARRAY[
        'AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
        'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'], l.mode) AS strength
    WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
      AND n.nspname = $1 AND c.relname ~ '^(extension_(registry|version|bundle|log)|tenant_extension_install|ext_registry_)'
      AND strength >= $2
    ORDER BY strength DESC, a.xact_start, c.relname
    LIMIT 5";

/// One line for each lock that others hold on a table of the registry.
///
/// # Errors
/// What the server answers.
pub fn holders(
    client: &mut impl GenericClient,
    schema: &Schema,
    what: InTheWayOf,
) -> Result<Vec<String>, Error> {
    let doing = "looking who is in the way";
    let rows = client
        .query(HOLDERS, &[&schema.name(), &(what as i32)])
        .doing(doing)?;
    rows.iter().map(|row| row.try_get(0).doing(doing)).collect()
}
