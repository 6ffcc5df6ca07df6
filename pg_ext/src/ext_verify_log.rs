//! `ext_verify_log`: names every version that is not as it was sealed.

use ext_registry_core::log::audit::Finding;
use pgrx::pg_sys;
use pgrx::prelude::*;
use uuid::Uuid;

use crate::error::{Error, answer, printable};
use crate::ffi::Call;
use crate::log::{Log, verify};

/// Recomputes every leaf from its row and the tree from the leaves, and compares them with what is stored.
#[pg_extern(sql = false)]
#[expect(
    clippy::type_complexity,
    reason = "pgrx reads the columns from the text of the type"
)]
fn ext_verify_log(
    fcinfo: pg_sys::FunctionCallInfo,
) -> TableIterator<
    'static,
    (
        name!(finding, String),
        name!(leaf_index, Option<i64>),
        name!(version_id, Option<pgrx::Uuid>),
        name!(bundle_id, Option<pgrx::Uuid>),
        name!(message, String),
    ),
> {
    let findings = answer(|| findings(Call::new(fcinfo)));
    TableIterator::new(findings.into_iter().map(|finding| {
        (
            finding.kind.as_str().to_owned(),
            finding
                .leaf_index
                .and_then(|index| i64::try_from(index).ok()),
            id(finding.version_id.as_deref()),
            id(finding.bundle_id.as_deref()),
            printable(finding.message),
        )
    }))
}

fn findings(call: Call) -> Result<Vec<Finding>, Error> {
    Log::of(&call)?.as_owner(verify::verify)
}

fn id(text: Option<&str>) -> Option<pgrx::Uuid> {
    let id = Uuid::parse_str(text?).ok()?;
    Some(pgrx::Uuid::from_bytes(*id.as_bytes()))
}

extension_sql_file!("ext_verify_log.sql", name = "ext_verify_log");
