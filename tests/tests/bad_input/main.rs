//! Whatever a caller sends: it is published as the contract says, or refused with an error of the contract, or
//! PostgreSQL itself refuses it before the call begins. Nothing else, in no encoding, at no size.

mod call;
mod encodings;
mod generate;
mod ground;
mod hooks;
mod large;
mod names;
mod nulls;
mod old_patches;
mod random;
mod schemas;
mod targets;

/// Whether somebody waits for many cases and the largest sizes: `EXT_REGISTRY_SOAK=1`, or how many times as many.
fn soak() -> bool {
    std::env::var_os("EXT_REGISTRY_SOAK").is_some()
}

/// How many cases a property gets: few beside all the other tests.
fn cases(usually: u32) -> u32 {
    let times = std::env::var("EXT_REGISTRY_SOAK").ok();
    usually * times.map_or(1, |times| times.parse().unwrap_or(1_u32).max(20))
}
