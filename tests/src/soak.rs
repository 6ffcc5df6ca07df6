//! How large the tests of races, crashes and resources are.

/// A number that differs between `make test` and `make soak`: the environment variable `EXT_REGISTRY_<name>` when it
/// is set, else `large` where `EXT_REGISTRY_SOAK` is 1, else `small`.
///
/// # Panics
/// When the variable holds no number.
#[must_use]
pub fn soak_size(name: &str, small: usize, large: usize) -> usize {
    let name = format!("EXT_REGISTRY_{name}");
    match std::env::var(&name) {
        Ok(number) => number
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {number}")),
        Err(_) if std::env::var("EXT_REGISTRY_SOAK").is_ok_and(|value| value == "1") => large,
        Err(_) => small,
    }
}
