//! `ext_finalize_version` and `ext_finalize_bundle` over real connections.

mod advice;
mod arguments;
mod bounds;
mod bundles;
mod callers;
mod duplicates;
mod environment;
mod identity;
mod isolation;
mod lost_answers;
mod manifests;
mod names;
mod plans;
mod publish_time;
mod races;
mod same;
mod stored;
mod suppressed;
mod transactions;
mod waiting;
mod wildcard_races;
mod wildcards;
