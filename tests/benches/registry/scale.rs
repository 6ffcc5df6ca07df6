//! How large a run is.

use std::time::Duration;

/// Sizes and times of one run.
pub struct Scale {
    pub name: &'static str,
    /// Versions in the tables where publishing is measured; the first and the last are compared, all are plotted.
    pub versions: &'static [u64],
    pub clients: &'static [usize],
    pub rounds: usize,
    /// As often as a connection publishes before it is measured: caches are filled and plans are kept by then.
    pub warm_up: usize,
    pub slice: Duration,
    /// Versions of one extension where pages are read; the first and the last are compared.
    pub listed: &'static [u64],
    /// The one of them that is read as a whole.
    pub listed_whole: u64,
    /// Sizes of the bundles.
    pub bundle_mib: &'static [i32],
    /// Versions that are published for the bytes that they take.
    pub stored: u64,
    /// Versions in the log; the first and the last are compared, all are plotted.
    pub logged: &'static [u64],
    /// Lines for `postgresql.conf`.
    pub conf: &'static [&'static str],
}

/// Seconds: that everything still works.
pub const SMOKE: Scale = Scale {
    name: "smoke",
    versions: &[200, 400],
    clients: &[1],
    rounds: 1,
    warm_up: 2,
    slice: Duration::from_millis(5),
    listed: &[40, 200],
    listed_whole: 200,
    bundle_mib: &[1],
    stored: 100,
    logged: &[40, 400],
    conf: &["fsync = off"],
};

/// Minutes.
pub const SMALL: Scale = Scale {
    name: "small",
    versions: &[10_000, 50_000, 200_000],
    clients: &[1, 8],
    rounds: 7,
    warm_up: 20,
    slice: Duration::from_millis(300),
    listed: &[1_000, 10_000, 100_000],
    listed_whole: 10_000,
    bundle_mib: &[1, 64],
    stored: 20_000,
    logged: &[1_000, 10_000, 100_000],
    conf: &[
        "shared_buffers = 1GB",
        "max_wal_size = 4GB",
        "checkpoint_timeout = 15min",
        "maintenance_work_mem = 512MB",
    ],
};

/// Tens of minutes.
pub const LARGE: Scale = Scale {
    name: "large",
    versions: &[10_000, 100_000, 1_000_000, 5_000_000],
    clients: &[1, 8],
    rounds: 11,
    warm_up: 20,
    slice: Duration::from_millis(1000),
    listed: &[1_000, 10_000, 100_000, 1_000_000],
    listed_whole: 10_000,
    bundle_mib: &[1, 64],
    stored: 1_000_000,
    logged: &[1_000, 10_000, 100_000, 1_000_000],
    conf: &[
        "shared_buffers = 2GB",
        "max_wal_size = 8GB",
        "checkpoint_timeout = 15min",
        "maintenance_work_mem = 1GB",
    ],
};

impl Scale {
    /// The size at which the ratios of one size are taken; small enough to be copied for every round.
    pub fn base(&self) -> u64 {
        self.versions[0]
    }

    pub fn largest(&self) -> u64 {
        self.versions[self.versions.len() - 1]
    }
}

/// `10 k`, `5 M`.
pub fn count(number: u64) -> String {
    match number {
        n if n >= 1_000_000 && n % 100_000 == 0 => format!("{} M", n as f64 / 1e6),
        n if n >= 1_000 && n % 1_000 == 0 => format!("{} k", n / 1_000),
        n => n.to_string(),
    }
}
