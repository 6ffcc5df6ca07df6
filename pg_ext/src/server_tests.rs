//! What only shows inside the server; what a client sees is tested over a connection, in `tests/` of the workspace.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use std::ffi::CStr;

    use pgrx::prelude::*;

    use crate::{ffi, publish};

    /// The first migration is enough here, and `ext-migrate` cannot run inside a test's transaction. Embedded, because
    /// the server's user may have no access to this tree.
    fn create_tables() {
        let tables = include_str!("../../sql/migrations/V1__tables.sql");
        Spi::run(&tables.replace("@schema@", "public")).unwrap();
    }

    fn text(sql: &str) -> String {
        Spi::get_one::<String>(sql).unwrap().unwrap()
    }

    fn publish_sql(version: &str) -> String {
        format!(
            r#"SELECT version FROM ext_finalize_version(
                '{{"publisher":"acme","name":"widget","version":"{version}","runtime":"node@20"}}', repeat('a', 64))"#
        )
    }

    fn public() -> pg_sys::Oid {
        Spi::get_one::<pg_sys::Oid>("SELECT 'public'::regnamespace::oid")
            .unwrap()
            .unwrap()
    }

    fn owner_of(table: &CStr) -> Option<pg_sys::Oid> {
        ffi::table_owner(public(), table)
    }

    #[pg_test]
    fn owner_of_a_table_and_of_none() {
        assert_eq!(owner_of(c"extension_version"), None);
        create_tables();
        Spi::run(
            "CREATE ROLE registry_owner; ALTER TABLE extension_version OWNER TO registry_owner",
        )
        .unwrap();
        let owner = owner_of(c"extension_version").unwrap();
        let found = Spi::get_one_with_args::<String>(
            "SELECT rolname::text FROM pg_roles WHERE oid = $1",
            &[owner.into()],
        );
        assert_eq!(found.unwrap().unwrap(), "registry_owner");
    }

    #[pg_test]
    fn as_owner_changes_user_and_settings_and_puts_them_back() {
        Spi::run("CREATE ROLE registry_owner; CREATE TABLE public.mine (); ALTER TABLE public.mine OWNER TO registry_owner; SET search_path = public; SET work_mem = '5MB'")
            .unwrap();
        let before = text("SELECT current_user::text");
        let owner = owner_of(c"mine").unwrap();
        let inside = ffi::as_owner(owner, &[(c"work_mem", c"7MB")], || {
            let given = text("SELECT current_setting('work_mem')");
            assert_eq!(given, "7MB");
            Spi::run("SELECT set_config('work_mem', '9MB', false)").unwrap();
            text(
                "SELECT current_user || ' ' || current_setting('search_path') || ' ' || current_setting('work_mem')",
            )
        });
        assert_eq!(inside, "registry_owner pg_catalog, pg_temp 9MB");
        let after = text(
            "SELECT current_user || ' ' || current_setting('search_path') || ' ' || current_setting('work_mem')",
        );
        assert_eq!(after, format!("{before} public 5MB"));
    }

    #[pg_test]
    fn publish_times_of_one_backend_never_tie() {
        let times: Vec<i64> = (0..1000).map(|_| publish::publish_time()).collect();
        assert!(times.is_sorted_by(|earlier, later| earlier < later));
    }

    /// A defect, as a caller would meet it.
    #[pg_extern]
    fn panic() {
        crate::error::answer(|| -> Result<(), crate::error::Error> { panic!("a defect") })
    }

    /// The server of these tests has RUST_BACKTRACE in its environment.
    #[pg_test]
    fn a_panic_is_an_error_without_a_backtrace() {
        Spi::run(
            r#"DO $do$
            DECLARE code text; message text; detail text;
            BEGIN
                PERFORM tests.panic();
            EXCEPTION WHEN internal_error THEN
                GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
                ASSERT (code, message, detail) = ('XX000', 'a defect', ''), detail;
            END $do$"#,
        )
        .unwrap();
        assert_eq!(std::env::var("RUST_BACKTRACE").as_deref(), Ok("1"));
        assert_eq!(std::env::var("RUST_LIB_BACKTRACE").as_deref(), Ok("1"));
    }

    #[pg_test]
    fn an_error_carries_its_fields_and_the_next_one_does_not() {
        create_tables();
        text(&publish_sql("1.0.0"));
        Spi::run(&format!(
            r#"DO $do$
            DECLARE c text; t text; s text;
            BEGIN
                BEGIN
                    PERFORM * FROM ({}) published;
                EXCEPTION WHEN unique_violation THEN
                    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, t = TABLE_NAME, s = SCHEMA_NAME;
                    ASSERT (c, t, s) = ('extension_version_registry_id_version_unique', 'extension_version', 'public');
                END;
                BEGIN
                    RAISE EXCEPTION 'another';
                EXCEPTION WHEN raise_exception THEN
                    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, t = TABLE_NAME, s = SCHEMA_NAME;
                    ASSERT (c, t, s) = ('', '', '');
                END;
            END $do$"#,
            publish_sql("1.0.0")
        ))
        .unwrap();
    }
}
