//! Arguments as large as they come, and answers that grow with them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ext_registry_tests::{Refusal, Refused};

use crate::call::Call;
use crate::ground::Ground;
use crate::soak;

/// One after the other: each takes some times its size in the server.
static MEMORY: Mutex<()> = Mutex::new(());

/// How large: 256 MB where there is time.
fn megabytes() -> i32 {
    if soak() { 256 } else { 48 }
}

/// How many items make a manifest nearly as long as it may be; a tenth of it where time is short.
fn items(most: usize) -> usize {
    if soak() { most } else { most / 10 }
}

fn manifest(version: &str) -> String {
    format!(r#"{{"publisher":"p","name":"n","version":"{version}","runtime":"a@b"}}"#)
}

/// The statement with a text of so many megabytes for `$1`; made in the server, so that only the server needs the
/// memory. Text that does not compress away.
fn execute(ground: &mut Ground, statement: &str) -> Result<u64, postgres::Error> {
    ground.client.execute(statement, &[&megabytes()])
}

#[test]
fn arguments_of_many_megabytes() {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ground = Ground::in_encoding("UTF8");
    let large = "repeat('0123456789abcdef', $1 * 65536)";
    let mut refused = |statement: &str| execute(&mut ground, statement).refused();

    let invalid = |refused: Refused| {
        refused
            .with_sqlstate("22023")
            .with_code("INVALID_CONTENT_HASH")
    };
    let hash = invalid(refused(&format!(
        "SELECT FROM ext_finalize_version('{}', {large})",
        manifest("1.0.0")
    )));
    assert!(hash.detail_text.unwrap().len() < 1000);
    invalid(refused(&format!(
        "SELECT FROM ext_finalize_bundle('{}', 'x', {large})",
        manifest("1.0.0")
    )));

    if soak() {
        // PostgreSQL's own limit for one text in jsonb is 256 MB less one byte.
        refused(&format!(
            "SELECT FROM ext_finalize_version(to_jsonb({large}), repeat('a', 64))"
        ))
        .with_sqlstate("54000");
    }
    for manifest in [
        "to_jsonb(left(LARGE, 200000000))",
        "jsonb_build_object('name', left(LARGE, 200000000))",
        "jsonb_build_object('publisher', 'p', 'name', 'n', 'version', '1.0.0', 'runtime', 'a@b', 'ui', left(LARGE, 200000000))",
    ] {
        let manifest = manifest.replace("LARGE", large);
        refused(&format!(
            "SELECT FROM ext_finalize_version({manifest}, repeat('a', 64))"
        ))
        .with_sqlstate("22023")
        .with_code("INVALID_MANIFEST")
        .with_message_containing("must not be longer than 1048576 bytes");
    }
}

#[test]
fn signature_and_storage_url_have_limits() {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ground = Ground::in_encoding("UTF8");
    let large = "repeat('0123456789abcdef', $1 * 65536)";
    for argument in ["signature", "storage_url"] {
        for call in [
            "ext_finalize_version('MANIFEST', repeat('a', 64), ARGUMENT => LARGE)",
            "ext_finalize_bundle('MANIFEST', 'x', ARGUMENT => LARGE)",
        ] {
            let call = call
                .replace("MANIFEST", &manifest("1.0.0"))
                .replace("ARGUMENT", argument)
                .replace("LARGE", large);
            execute(&mut ground, &format!("SELECT FROM {call}"))
                .refused()
                .with_sqlstate("22023")
                .with_code("INVALID_ARGUMENT")
                .with_detail("argument", argument);
        }
    }
}

#[test]
fn a_bundle_of_many_megabytes_is_hashed() {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ground = Ground::in_encoding("UTF8");
    let bundle = "convert_to(repeat('0123456789abcdef', $1 * 65536), 'UTF8')";
    let began = Instant::now();
    let statement = format!(
        "SELECT FROM ext_finalize_bundle('{}', {bundle})",
        manifest("1.0.0")
    );
    assert_eq!(execute(&mut ground, &statement).unwrap(), 1);
    println!("hashed and published in {:?}", began.elapsed());
    let compared = format!(
        "SELECT content_hash = 'sha256:' || encode(sha256({bundle}), 'hex') AND size_bytes = $1::bigint << 20 FROM extension_bundle"
    );
    assert!(
        ground
            .client
            .query_one(&compared, &[&megabytes()])
            .unwrap()
            .get::<_, bool>(0)
    );
}

/// The first issues, and how many there are.
#[test]
fn more_issues_than_anybody_reads() {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    for encoding in ["UTF8", "LATIN1"] {
        let mut ground = Ground::in_encoding(encoding);
        let endpoints = format!("[{}{{}}]", "{}, ".repeat(items(262_000)));
        let text =
            manifest("1.0.0").replace('}', &format!(r#", "api": {{"endpoints": {endpoints}}}}}"#));
        let began = Instant::now();
        let refused = ground
            .call(&Call::of(text))
            .refused()
            .with_code("INVALID_MANIFEST")
            .with_detail("issue_count", 3 * (items(262_000) + 1));
        let took = began.elapsed();
        assert_eq!(refused.detail["issues"].as_array().unwrap().len(), 100);
        assert!(
            refused
                .message
                .ends_with(&format!("; and {} more", 3 * items(262_000))),
            "{}",
            refused.message
        );
        assert!(took < Duration::from_secs(60), "{took:?}");
    }
}

/// The same through libpq, and into a PL/pgSQL handler.
#[test]
fn psql_and_plpgsql_take_such_an_error() {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ground = Ground::in_encoding("UTF8");
    let items = items(340_000);
    let call = &format!(
        "SELECT * FROM ext_finalize_version(
            jsonb_build_object('assets', (SELECT jsonb_agg(1) FROM generate_series(1, {items}))), repeat('a', 64))"
    );
    let output = ground
        .db
        .program("psql")
        .args(["-X", "-c", call.as_str()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.len() < 20_000, "{}", printed.len());
    assert!(
        printed.contains(&format!(r#""issue_count":{}}}"#, items + 4)),
        "{printed}"
    );
    ground
        .client
        .batch_execute(&format!(
            "DO $do$ DECLARE given text; BEGIN
                PERFORM * FROM ({call}) x;
             EXCEPTION WHEN invalid_parameter_value THEN
                GET STACKED DIAGNOSTICS given = PG_EXCEPTION_DETAIL;
                ASSERT given::jsonb -> 'issue_count' = to_jsonb({items} + 4);
             END $do$"
        ))
        .unwrap();
}

/// A number takes a dozen bytes in jsonb and a hundred thousand as text. Printing them all would not fit in memory.
#[test]
fn few_bytes_of_jsonb_that_are_gigabytes_of_text() {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ground = Ground::in_encoding("UTF8");
    let with = |numbers: usize, number: &str| {
        let numbers = vec![number; numbers].join(",");
        Call::of(manifest("1.0.*").replace(
            '}',
            &format!(r#", "ui": {{"type":"iframe","entry":"e","n":[{numbers}]}}}}"#),
        ))
    };
    ground.call(&with(1, "1e131071")).published();
    ground.call(&with(7, "1e131071")).published();
    ground.call(&with(60, "1e-16383")).published();
    for (numbers, number) in [
        (9, "1e131071"),
        (300, "1e131071"),
        (70, "-1e-16383"),
        (20_000, "1e131071"),
        (100_000, "1e131071"),
    ] {
        let began = Instant::now();
        let call = with(numbers, number);
        let refused = ground.call(&call).refused().with_code("INVALID_MANIFEST");
        assert!(
            refused.message.contains("longer than 1048576 bytes"),
            "{}",
            refused.message
        );
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
    }
}
