//! Real servers for the integration tests.
//!
//! ```no_run
//! use ext_registry_tests::{Refusal, Server};
//!
//! let db = Server::shared().migrated_database();
//! let mut client = db.client();
//! client
//!     .execute("TRUNCATE extension_bundle", &[])
//!     .refused()
//!     .with_sqlstate("23001")
//!     .with_code("VERSION_IMMUTABLE");
//! ```
//!
//! The tests run with plain `cargo test` once `make build` has prepared a private copy of PostgreSQL in `.build`,
//! installed the extension into it and built `ext-migrate`. Each test binary starts one server; it is gone, with
//! its data, as soon as the test process has ended, however it ended.

mod activity;
mod database;
mod earlier;
mod ext_migrate;
mod installation;
mod migrations;
pub mod old_schema;
mod options;
mod refusal;
mod registry;
mod server;
mod soak;
mod supervisor;
mod tls;
mod years;

pub use activity::{backend_pid, together, wait_until, wait_until_blocked};
pub use database::Database;
pub use earlier::begin_as;
pub use ext_migrate::{Outcome, ext_migrate};
pub use installation::{
    built_with_icu, built_with_tls, comes_with, extension_folder, other_server, program,
    workspace_root,
};
pub use migrations::{Folder, shipped};
pub use options::Options;
pub use refusal::{Refusal, Refused};
pub use registry::{
    Listed, Published, assert_nothing_is_there, finalize, hash, list, manifest, manifest_of,
    publish, row_counts,
};
pub use server::Server;
pub use soak::soak_size;
pub use years::{Contents, assert_guarded, assert_publishes, publish_some};
