//! `ext_version_leaf`: the hashes under which a version and its bundles are in the log, or will be.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::log::{self, Log};

/// Computes the leaves from the rows as they are now; the publisher's receipt.
///
/// Takes the version's id. Gives the version's leaf and then those of its bundles, with their index once they are sealed.
#[pg_extern(sql = false)]
fn ext_version_leaf(
    fcinfo: pg_sys::FunctionCallInfo,
) -> TableIterator<
    'static,
    (
        name!(bundle_id, Option<pgrx::Uuid>),
        name!(leaf_hash, Vec<u8>),
        name!(leaf_index, Option<i64>),
    ),
> {
    let leaves = answer(|| leaves(Call::new(fcinfo)));
    TableIterator::new(leaves)
}

type Leaf = (Option<pgrx::Uuid>, Vec<u8>, Option<i64>);

fn leaves(call: Call) -> Result<Vec<Leaf>, Error> {
    let version_id = call.uuid(0).ok_or(Error::NullArgument("version_id"))?;
    let leaves = Log::of(&call)?.as_owner(|log| log::of_version(log, version_id))?;
    Ok(leaves
        .into_iter()
        .map(|(row, index)| (row.bundle_id, row.hash.as_bytes().to_vec(), index))
        .collect())
}

extension_sql_file!("ext_version_leaf.sql", name = "ext_version_leaf");
