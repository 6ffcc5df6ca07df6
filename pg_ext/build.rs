//! Keeps the section that `cargo pgrx` reads the SQL from: the linker would drop it as unused.
//!
//! cargo-pgrx gives this flag itself, but to every crate, which builds all of them a second time.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--no-gc-sections");
    }
}
