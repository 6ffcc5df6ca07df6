//! What is published: the same in every lane, about 1 KB of manifest.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

pub const RUNTIME: &str = "node@20";
pub const MAIN_ENTRY: &str = "dist/index.html";
pub const CAPABILITIES: &str =
    r#"["network:fetch", "storage:read", "storage:write", "ui:panel", "clipboard:write"]"#;
pub const UI: &str = r#"{"type": "iframe", "entry": "dist/index.html", "hooks": {"install": "dist/hooks/install.js", "upgrade": "dist/hooks/upgrade.js", "remove": "dist/hooks/remove.js"}}"#;
pub const ENDPOINTS: &str = r#"[{"method": "GET", "path": "/items", "handler": "dist/api/items/list.js"}, {"method": "POST", "path": "/items", "handler": "dist/api/items/create.js"}, {"method": "PUT", "path": "/items/:id", "handler": "dist/api/items/replace.js"}, {"method": "DELETE", "path": "/items/:id", "handler": "dist/api/items/delete.js"}]"#;
pub const ASSETS: &str = r#"["assets/icon.svg", "assets/style.css", "assets/banner.png"]"#;
pub const PRECOMPILED: &str =
    r#"{"linux-x86_64": "bin/linux-x86_64.so", "darwin-arm64": "bin/darwin-arm64.dylib"}"#;

/// `api` as it is stored.
pub fn api() -> String {
    format!(r#"{{"endpoints": {ENDPOINTS}}}"#)
}

/// One version to be published.
pub struct Publication {
    pub publisher: String,
    pub name: String,
    pub version: String,
    pub content_hash: String,
    /// The old schema has no column for assets: what is compared with it has none.
    pub assets: bool,
}

impl Publication {
    pub fn new(extension: u64, version: String, assets: bool) -> Self {
        Self {
            publisher: publisher(extension),
            name: name(extension),
            content_hash: format!("sha256:{extension:032x}{:032x}", number()),
            version,
            assets,
        }
    }

    /// A version that nobody has published yet.
    pub fn of_new_version(extension: u64, assets: bool) -> Self {
        Self::new(extension, format!("9.0.{}", number()), assets)
    }

    /// A version that every filled extension has.
    pub fn of_existing_version(extension: u64) -> Self {
        Self::new(extension, "1.0.0".to_owned(), true)
    }

    pub fn manifest(&self) -> String {
        let Self {
            publisher,
            name,
            version,
            ..
        } = self;
        let assets = if self.assets {
            format!(r#", "assets": {ASSETS}"#)
        } else {
            String::new()
        };
        format!(
            r#"{{"publisher": "{publisher}", "name": "{name}", "version": "{version}", "runtime": "{RUNTIME}", "capabilities": {CAPABILITIES}, "ui": {UI}, "api": {{"endpoints": {ENDPOINTS}}}, "precompiled": {PRECOMPILED}{assets}}}"#
        )
    }
}

/// As `fill.sql` names them.
fn publisher(extension: u64) -> String {
    format!("publisher-{}", extension / 10)
}

fn name(extension: u64) -> String {
    format!("extension-{extension}")
}

fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Which extension publishes next: all alike, in no order, the same in every lane.
#[derive(Clone)]
pub struct Picks {
    extensions: u64,
    state: u64,
}

impl Picks {
    pub fn new(extensions: u64, seed: u64) -> Self {
        Self {
            extensions,
            state: seed,
        }
    }

    /// SplitMix64.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % self.extensions
    }
}

/// JSON text as a jsonb parameter, sent as it is: no lane pays for a JSON library in the client.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: AsRef<str> + std::fmt::Debug> ToSql for Json<T> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // The version of jsonb's binary format.
        out.extend_from_slice(&[1]);
        out.extend_from_slice(self.0.as_ref().as_bytes());
        Ok(IsNull::No)
    }

    accepts!(JSONB);
    to_sql_checked!();
}
