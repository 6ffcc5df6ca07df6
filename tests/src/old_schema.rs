//! Databases that ran the old schema for years.

use postgres::Client;

/// The four tables of the old schema.
pub const TABLES: [&str; 4] = [
    "extension_registry",
    "extension_version",
    "extension_bundle",
    "tenant_extension_install",
];

/// The old schema's SQL with these texts replaced.
///
/// # Panics
/// When a text to replace is not there.
#[must_use]
pub fn old_schema(changes: &[(&str, &str)]) -> String {
    let mut sql = include_str!("../fixtures/old_schema.sql").to_owned();
    for (from, to) in changes {
        assert!(sql.contains(from), "the old schema has no {from:?}");
        sql = sql.replace(from, to);
    }
    sql
}

/// Rows in every odd shape: 200 versions, 300 bundles, 40 installs.
#[must_use]
pub fn old_rows() -> &'static str {
    include_str!("../fixtures/old_rows.sql")
}

/// Every row of the four tables as it was: place, writing transaction and content of all columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows {
    queries: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    /// Remembers the rows and the columns that are there now.
    ///
    /// # Panics
    /// When a table cannot be read.
    pub fn remember(client: &mut Client, schema: &str) -> Self {
        let queries: Vec<_> = TABLES
            .iter()
            .map(|table| {
                let row = client.query_one(
                    "SELECT format('SELECT concat_ws('' '', ctid, xmin, md5(ROW(%s)::text)) FROM %I.%I ORDER BY ctid',
                            string_agg(quote_ident(attname), ', ' ORDER BY attnum), $1::text, $2::text)
                     FROM pg_attribute
                     WHERE attrelid = format('%I.%I', $1, $2)::regclass AND attnum > 0 AND NOT attisdropped",
                    &[&schema, table],
                );
                row.expect("the table is there").get(0)
            })
            .collect();
        let rows = read(client, &queries);
        Self { queries, rows }
    }

    /// Asserts that every row is where it was and what it was, and that there is no other.
    ///
    /// # Panics
    /// When one is not.
    #[track_caller]
    pub fn assert_untouched(&self, client: &mut Client) {
        for (number, rows) in read(client, &self.queries).iter().enumerate() {
            assert_eq!(rows, &self.rows[number], "{}", TABLES[number]);
        }
    }
}

fn read(client: &mut Client, queries: &[String]) -> Vec<Vec<String>> {
    queries
        .iter()
        .map(|query| {
            let rows = client.query(query, &[]).expect("the table can be read");
            rows.iter().map(|row| row.get(0)).collect()
        })
        .collect()
}
