//! Every function with every combination of NULL, a given value and the default.

use ext_registry_tests::{Refused, row_counts};

use crate::ground::Ground;

/// An argument by name: how it can be given besides NULL, and whether it may be left out.
struct Argument {
    name: &'static str,
    given: &'static str,
    required: bool,
}

const fn argument(name: &'static str, given: &'static str, required: bool) -> Argument {
    Argument {
        name,
        given,
        required,
    }
}

const MANIFEST: Argument = argument(
    "manifest",
    r#"'{"publisher":"p","name":"n","version":"1.0.*","runtime":"a@b"}'::jsonb"#,
    true,
);

#[test]
fn finalize_with_every_null() {
    let optional = [
        argument("signature", "'s'", false),
        argument("storage_url", "''", false),
    ];
    let [signature, storage_url] = optional;
    every_call(
        "ext_finalize_version",
        &[
            MANIFEST,
            argument("content_hash", "repeat('A', 64)", true),
            signature,
            storage_url,
            argument("size_bytes", "0", false),
        ],
    );
    let [signature, storage_url] = [
        argument("signature", "'s'", false),
        argument("storage_url", "''", false),
    ];
    every_call(
        "ext_finalize_bundle",
        &[
            MANIFEST,
            argument("bundle", "''::bytea", true),
            argument("declared_hash", "encode(sha256(''), 'hex')", false),
            signature,
            storage_url,
        ],
    );
}

fn every_call(function: &str, arguments: &[Argument]) {
    let mut ground = Ground::in_encoding("UTF8");
    let ways = 3_usize.pow(arguments.len() as u32);
    let mut published = 0;
    for way in 0..ways {
        let (mut list, mut missing, mut null) = (Vec::new(), false, None);
        let mut rest = way;
        for argument in arguments {
            match rest % 3 {
                0 => list.push(format!("{} => {}", argument.name, argument.given)),
                1 => {
                    list.push(format!("{} => NULL", argument.name));
                    if argument.required {
                        null = null.or(Some(argument.name));
                    }
                }
                _ => missing |= argument.required,
            }
            rest /= 3;
        }
        let call = format!("SELECT version FROM {function}({})", list.join(", "));
        match ground.client.query_one(&call, &[]) {
            Ok(_) => {
                assert!(!missing && null.is_none(), "{call}");
                published += 1;
            }
            Err(error) => {
                let refused = Refused::from(error.as_db_error().expect("the server answers"));
                if missing {
                    // There is no such function.
                    refused.with_sqlstate("42883");
                } else {
                    let null = null.unwrap_or_else(|| panic!("{call}: {refused:#?}"));
                    refused
                        .with_sqlstate("22004")
                        .with_code("NULL_ARGUMENT")
                        .with_detail("argument", null);
                }
            }
        }
    }
    assert_eq!(
        published, 27,
        "three ways for each of three optional arguments"
    );
    assert_eq!(row_counts(&mut ground.client), (1, 27, 27));
}

#[test]
fn readers_with_every_null() {
    let mut ground = Ground::in_encoding("UTF8");
    let mut one = |sql: &str| {
        ground
            .client
            .query_one(sql, &[])
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
            .get::<_, i64>(0)
    };
    for arguments in ["NULL, NULL", "NULL, 'n'", "'p', NULL"] {
        assert_eq!(
            one(&format!("SELECT count(ext_extension_id({arguments}))")),
            0
        );
    }
    for arguments in [
        "NULL",
        "NULL, NULL",
        "NULL, 't'",
        "extension_id => NULL",
        "tenant_id => 't', extension_id => NULL",
    ] {
        assert_eq!(
            one(&format!(
                "SELECT count(*) FROM ext_list_versions({arguments})"
            )),
            0
        );
    }
}

/// The functions are not strict: a NULL is an error and not an answer that looks like nothing happened.
#[test]
fn json_null_is_not_sql_null() {
    let mut ground = Ground::in_encoding("UTF8");
    ground
        .call(&crate::call::Call::of("null"))
        .with_issues(&[""]);
}
