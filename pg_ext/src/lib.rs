//! The PostgreSQL extension `ext_registry`: one file per public SQL function, `publish` behind both that publish,
//! `log` behind those of the log.

mod citus;
mod error;
mod ext_consistency_proof;
mod ext_finalize_bundle;
mod ext_finalize_version;
mod ext_inclusion_proof;
mod ext_log_checkpoint;
mod ext_log_tile;
mod ext_seal_log;
mod ext_sign_checkpoint;
mod ext_verify_log;
mod ext_version_leaf;
mod ffi;
mod log;
mod publish;
mod statements;
mod tables;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

/// Called by Postgres when it loads the library.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    ffi::without_backtraces();
}

extension_sql_file!("ext_list_versions.sql", name = "ext_list_versions");
extension_sql_file!("ext_extension_id.sql", name = "ext_extension_id");
extension_sql_file!(
    "citus.sql",
    name = "citus",
    requires = ["ext_list_versions", "ext_extension_id"]
);

#[cfg(any(test, feature = "pg_test"))]
mod server_tests;

/// Called by the test framework of pgrx before it starts its server.
#[cfg(test)]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec!["fsync = off"]
    }
}
