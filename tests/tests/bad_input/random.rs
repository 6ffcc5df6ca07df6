//! Properties: random calls, judged.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::call::Call;
use crate::cases;
use crate::generate;
use crate::ground::{Answer, Ground};

/// How often each answer came: a property that only ever sees one of them tests little.
#[derive(Debug, Default)]
struct Seen {
    published: u32,
    refused: u32,
    before: u32,
}

fn judge_all<S: Strategy<Value = Call>>(encoding: &str, usually: u32, calls: S) -> Seen {
    let ground = RefCell::new(Ground::in_encoding(encoding));
    let seen = RefCell::new(Seen::default());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases(usually))
    };
    let result = TestRunner::new(config).run(&calls, |call| {
        let mut seen = seen.borrow_mut();
        match ground.borrow_mut().call(&call) {
            Answer::Published(_) => seen.published += 1,
            Answer::Refused(_) => seen.refused += 1,
            Answer::RefusedBefore(_) => seen.before += 1,
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{encoding}: {error}");
    }
    let seen = seen.into_inner();
    println!("{encoding}: {seen:?}");
    seen
}

#[test]
fn manifests_with_anything_in_them() {
    let seen = judge_all("UTF8", 300, generate::manifest().prop_map(Call::of));
    assert!(
        seen.published > 0 && seen.refused > 0 && seen.before > 0,
        "{seen:?}"
    );
}

#[test]
fn any_json_as_manifest() {
    let seen = judge_all("UTF8", 150, generate::json().prop_map(Call::of));
    assert!(seen.refused > 0 && seen.before > 0, "{seen:?}");
}

#[test]
fn manifests_with_bytes_changed() {
    let seen = judge_all("UTF8", 200, generate::mutated().prop_map(Call::of));
    assert!(
        seen.published > 0 && seen.refused > 0 && seen.before > 0,
        "{seen:?}"
    );
}

#[test]
fn brackets_up_to_a_hundred_thousand_levels() {
    let seen = judge_all("UTF8", 30, generate::deep().prop_map(Call::of));
    assert!(seen.refused > 0 && seen.before > 0, "{seen:?}");
}

/// Valid or not, in every encoding: what the encoding does not have is refused by PostgreSQL, before the call.
#[test]
fn bytes_in_every_encoding() {
    for encoding in ["SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP", "EUC_TW"] {
        let manifests = prop_oneof![
            generate::manifest().prop_map(String::into_bytes),
            generate::mutated(),
            // High bytes where the text had a letter outside ASCII: valid in many encodings, UTF-8 in none.
            (generate::manifest(), any::<[u8; 2]>())
                .prop_map(|(text, high)| in_other_bytes(&text, high)),
        ];
        let seen = judge_all(encoding, 60, manifests.prop_map(Call::of));
        assert!(
            seen.published > 0 && seen.refused > 0 && seen.before > 0,
            "{encoding}: {seen:?}"
        );
    }
}

fn in_other_bytes(text: &str, high: [u8; 2]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(ascii) if ascii.is_ascii() => bytes.push(ascii),
            _ => bytes.extend(high.map(|byte| byte | 0xa0)),
        }
    }
    bytes
}

#[test]
fn any_arguments() {
    let manifest = || {
        prop_oneof![
            8 => Just(Some(br#"{"publisher":"p","name":"n","version":"1.0.*","runtime":"a@b"}"#.to_vec())),
            1 => Just(None),
            1 => Just(Some(b"{}".to_vec())),
        ]
    };
    let text = || prop::option::of(generate::text().prop_map(String::into_bytes));
    let hash = || prop_oneof![1 => text(), 1 => Just(Some(vec![b'a'; 64]))];
    let size = prop_oneof![
        Just(None),
        Just(Some(i64::MIN)),
        Just(Some(i64::MAX)),
        Just(Some(-1)),
        any::<i64>().prop_map(Some)
    ];
    let bundle = prop::option::of(prop::option::of(prop::collection::vec(any::<u8>(), 0..200)));
    let calls = (manifest(), hash(), text(), text(), size, bundle).prop_map(
        |(manifest, hash, signature, storage_url, size, bundle)| {
            let hash = match &bundle {
                // A bundle whose hash is declared has to have it.
                Some(_) if hash.as_deref() == Some(&[b'a'; 64]) => None,
                _ => hash,
            };
            let size = if bundle.is_some() { None } else { size };
            Call {
                manifest,
                hash,
                signature,
                storage_url,
                size,
                bundle,
            }
        },
    );
    for encoding in ["UTF8", "LATIN1", "EUC_JP"] {
        let seen = judge_all(encoding, 100, &calls);
        assert!(seen.published > 0 && seen.refused > 0, "{seen:?}");
    }
}

/// Versions are text of their own grammar: here all of the manifest's text goes there.
#[test]
fn any_text_as_version() {
    let version = prop_oneof![
        generate::text(),
        "[ \u{a0}\t]?[0-9]{1,21}[.][0-9*]{1,3}([.][0-9*]{1,3})?([-+][0-9a-z.+-]{0,6})?[ \u{3000}]?",
        "[0-9.*+-]{1,12}",
        "[ \n]?(0|[1-9][0-9]{0,19})[.](0|[1-9][0-9]?)[.](0|[1-9]|[*])(-[a-z]{1,3})?[\t]?",
    ];
    let calls = version.prop_map(|version| {
        Call::of(
            serde_json::json!({"publisher": "p", "name": "n", "version": version, "runtime": "a@b"}).to_string(),
        )
    });
    let seen = judge_all("UTF8", 150, calls);
    assert!(seen.published > 0 && seen.refused > 0, "{seen:?}");
}

/// The readers' arguments: any text finds nothing, and NULL finds nothing.
#[test]
fn any_text_for_the_readers() {
    let ground = RefCell::new(Ground::in_encoding("UTF8"));
    ground
        .borrow_mut()
        .call(&Call::of(
            r#"{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b"}"#,
        ))
        .published();
    let text = || prop::option::of(generate::text());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases(100))
    };
    TestRunner::new(config)
        .run(&(text(), text(), text(), any::<u128>(), any::<bool>()), |(publisher, name, tenant, id, known)| {
            let mut ground = ground.borrow_mut();
            let row = ground.client.query_one("SELECT ext_extension_id($1, $2)", &[&publisher, &name]).unwrap();
            let found: Option<uuid::Uuid> = row.get(0);
            prop_assert!(found.is_none() || (publisher.as_deref(), name.as_deref()) == (Some("p"), Some("n")));
            let id = uuid::Uuid::from_u128(id);
            let list = "SELECT installed FROM ext_list_versions(CASE WHEN $1 THEN ext_extension_id('p', 'n') ELSE $2 END, $3)";
            let rows = ground.client.query(list, &[&known, &id, &tenant]).unwrap();
            prop_assert_eq!(rows.len(), usize::from(known));
            prop_assert!(rows.iter().all(|row| !row.get::<_, bool>(0)));
            Ok(())
        })
        .unwrap();
}
