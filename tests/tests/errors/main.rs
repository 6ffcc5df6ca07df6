//! An error reaches the client with all its fields and nothing else, on a server whose environment asks Rust for
//! backtraces.

mod backtrace;
mod fields;
mod log;
mod told;
mod waiting;

use std::sync::OnceLock;

use ext_registry_tests::{Options, Server};

/// The server of these tests.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start(&Options {
            environment: vec![
                "RUST_BACKTRACE=full".to_owned(),
                "RUST_LIB_BACKTRACE=1".to_owned(),
            ],
            ..Options::default()
        })
    })
}
