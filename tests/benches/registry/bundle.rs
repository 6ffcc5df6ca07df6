//! `ext_finalize_bundle` against `sha256(bytea)`: time inside the server, with bytes that are there already.

use ext_registry_tests::Server;
use postgres::Client;

use crate::baselines::Tables;
use crate::databases::empty;
use crate::publication::{Json, Publication};
use crate::report::{Row, Target, median};
use crate::scale::Scale;

/// Both in turn, on the same bytes in memory; the clock is the server's.
const MEASURE: &str = "
CREATE FUNCTION pg_temp.measure(manifest jsonb, size integer, rounds integer, OUT hashed float8[], OUT finalized float8[])
    LANGUAGE plpgsql
AS $$
DECLARE
    bytes   bytea := decode(repeat('5a', size), 'hex');
    before  timestamptz;
    between timestamptz;
BEGIN
    FOR round IN 0 .. rounds LOOP
        manifest := jsonb_set(manifest, '{version}', to_jsonb(format('2.%s.%s', size, round)));
        before := clock_timestamp();
        PERFORM sha256(bytes);
        between := clock_timestamp();
        PERFORM ext_finalize_bundle(manifest, bytes);
        -- The first round fills caches.
        IF round > 0 THEN
            finalized := finalized || extract(epoch FROM clock_timestamp() - between)::float8;
            hashed := hashed || extract(epoch FROM between - before)::float8;
        END IF;
    END LOOP;
END
$$";

pub fn run(server: &Server, scale: &Scale) -> Vec<Row> {
    let database = empty(server, Tables::Guarded);
    let mut client = database.client();
    client.batch_execute(MEASURE).expect("it is PL/pgSQL");
    scale
        .bundle_mib
        .iter()
        .map(|&mib| measure(&mut client, mib, scale))
        .collect()
}

fn measure(client: &mut Client, mib: i32, scale: &Scale) -> Row {
    // As many as take about the same time.
    let rounds = i32::try_from(scale.rounds).unwrap_or(i32::MAX) * (64 / mib).clamp(1, 16);
    let publication = Publication::of_new_version(0, true);
    let row = client.query_one(
        "SELECT * FROM pg_temp.measure($1, $2, $3)",
        &[&Json(publication.manifest()), &(mib << 20), &rounds],
    );
    let row = row.expect("every publish succeeds");
    let (hashed, finalized): (Vec<f64>, Vec<f64>) = (row.get(0), row.get(1));
    let ratios = finalized
        .iter()
        .zip(&hashed)
        .map(|(ours, theirs)| ours / theirs);
    let ratio = median(ratios.collect());
    Row {
        work: "ext_finalize_bundle over sha256(bytea), time in the server".to_owned(),
        at: format!("{mib} MiB"),
        measured: format!(
            "{:.2} / {:.2} ms",
            median(finalized) * 1e3,
            median(hashed) * 1e3
        ),
        ratio,
        cpu: None,
        target: Target::AtMost(1.1),
    }
}
