//! Triggers, indexes and checks as the server prints them, `@schema@` for the schema: what `check` compares with.
//! A test proves that a fresh database prints exactly this, on every server that is tested.

/// The printed definition of the object with this name that `sql` makes.
pub fn definition(name: &str, sql: &str, quoted_schema: &str) -> Option<String> {
    let earlier = EARLIER.iter().filter(|_| sql.contains("IS DISTINCT FROM"));
    earlier
        .chain(DEFINITIONS)
        .find(|(known, _)| *known == name)
        .map(|(_, definition)| definition.replace("@schema@", quoted_schema))
}

/// The same for columns of type `varchar`, which the server prints with a cast, and `text`.
pub fn same(printed: &str, expected: &str) -> bool {
    without_casts(printed) == without_casts(expected)
}

/// `(name)::text` becomes `name`.
fn without_casts(definition: &str) -> String {
    let mut result = String::with_capacity(definition.len());
    let mut rest = definition;
    while let Some((before, after)) = rest.split_once(")::text") {
        match before.rsplit_once('(') {
            Some((start, name))
                if name
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '.') =>
            {
                result.push_str(start);
                result.push_str(name);
            }
            _ => {
                result.push_str(before);
                result.push_str(")::text");
            }
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

const DEFINITIONS: &[(&str, &str)] = &[
    (
        "extension_bundle_content_hash_check",
        r#"CHECK ((adopted OR ((octet_length((content_hash)::text) = 71) AND (((content_hash)::text COLLATE "C") ~ '^sha256:[0-9a-f]*$'::text))))"#,
    ),
    (
        "extension_bundle_immutable_insert",
        r#"CREATE TRIGGER extension_bundle_immutable_insert BEFORE INSERT ON @schema@.extension_bundle FOR EACH ROW WHEN (((current_setting('ext_registry.finalizing'::text, true) = 'on'::text) IS NOT TRUE)) EXECUTE FUNCTION @schema@.extension_bundle_immutable()"#,
    ),
    (
        "extension_bundle_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_bundle_immutable_stored AFTER INSERT OR DELETE OR UPDATE ON @schema@.extension_bundle NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION @schema@.extension_bundle_immutable()"#,
    ),
    (
        "extension_bundle_immutable_truncate",
        r#"CREATE TRIGGER extension_bundle_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_bundle FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_bundle_immutable()"#,
    ),
    (
        "extension_bundle_immutable",
        r#"CREATE TRIGGER extension_bundle_immutable BEFORE DELETE OR UPDATE ON @schema@.extension_bundle FOR EACH ROW EXECUTE FUNCTION @schema@.extension_bundle_immutable()"#,
    ),
    (
        "extension_bundle_size_bytes_check",
        r#"CHECK ((adopted OR (size_bytes >= 0)))"#,
    ),
    (
        "extension_bundle_version_id_unique",
        r#"CREATE UNIQUE INDEX extension_bundle_version_id_unique ON @schema@.extension_bundle USING btree (version_id) WHERE (NOT adopted)"#,
    ),
    (
        "extension_log_checkpoint_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_log_checkpoint_immutable_stored AFTER DELETE OR UPDATE ON @schema@.extension_log_checkpoint NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_checkpoint_immutable_truncate",
        r#"CREATE TRIGGER extension_log_checkpoint_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_log_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_checkpoint_immutable",
        r#"CREATE TRIGGER extension_log_checkpoint_immutable BEFORE DELETE OR UPDATE ON @schema@.extension_log_checkpoint FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_leaf_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_log_leaf_immutable_stored AFTER DELETE OR UPDATE ON @schema@.extension_log_leaf NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_leaf_immutable_truncate",
        r#"CREATE TRIGGER extension_log_leaf_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_log_leaf FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_leaf_immutable",
        r#"CREATE TRIGGER extension_log_leaf_immutable BEFORE DELETE OR UPDATE ON @schema@.extension_log_leaf FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_signature_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_log_signature_immutable_stored AFTER DELETE OR UPDATE ON @schema@.extension_log_signature NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_signature_immutable_truncate",
        r#"CREATE TRIGGER extension_log_signature_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_log_signature FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_signature_immutable",
        r#"CREATE TRIGGER extension_log_signature_immutable BEFORE DELETE OR UPDATE ON @schema@.extension_log_signature FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_tile_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_log_tile_immutable_stored AFTER DELETE OR UPDATE ON @schema@.extension_log_tile NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_tile_immutable_truncate",
        r#"CREATE TRIGGER extension_log_tile_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_log_tile FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_log_tile_immutable",
        r#"CREATE TRIGGER extension_log_tile_immutable BEFORE DELETE OR UPDATE ON @schema@.extension_log_tile FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable()"#,
    ),
    (
        "extension_registry_identity_immutable_delete",
        r#"CREATE TRIGGER extension_registry_identity_immutable_delete BEFORE DELETE ON @schema@.extension_registry FOR EACH ROW EXECUTE FUNCTION @schema@.extension_registry_identity_immutable()"#,
    ),
    (
        "extension_registry_identity_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_registry_identity_immutable_stored AFTER UPDATE ON @schema@.extension_registry NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW WHEN ((((old.id = new.id) IS NOT TRUE) OR ((((old.publisher)::text COLLATE "C") = ((new.publisher)::text COLLATE "C")) IS NOT TRUE) OR ((((old.name)::text COLLATE "C") = ((new.name)::text COLLATE "C")) IS NOT TRUE))) EXECUTE FUNCTION @schema@.extension_registry_identity_immutable()"#,
    ),
    (
        "extension_registry_identity_immutable_truncate",
        r#"CREATE TRIGGER extension_registry_identity_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_registry FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_registry_identity_immutable()"#,
    ),
    (
        "extension_registry_identity_immutable",
        r#"CREATE TRIGGER extension_registry_identity_immutable BEFORE UPDATE ON @schema@.extension_registry FOR EACH ROW WHEN ((((old.id = new.id) IS NOT TRUE) OR ((((old.publisher)::text COLLATE "C") = ((new.publisher)::text COLLATE "C")) IS NOT TRUE) OR ((((old.name)::text COLLATE "C") = ((new.name)::text COLLATE "C")) IS NOT TRUE))) EXECUTE FUNCTION @schema@.extension_registry_identity_immutable()"#,
    ),
    (
        "extension_version_created_at_check",
        r#"CHECK ((adopted OR (created_at IS NOT NULL)))"#,
    ),
    (
        "extension_version_immutable_adopted",
        r#"CREATE CONSTRAINT TRIGGER extension_version_immutable_adopted AFTER INSERT ON @schema@.extension_version NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW WHEN (new.adopted) EXECUTE FUNCTION @schema@.extension_version_immutable()"#,
    ),
    (
        "extension_version_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_version_immutable_stored AFTER DELETE OR UPDATE ON @schema@.extension_version NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION @schema@.extension_version_immutable()"#,
    ),
    (
        "extension_version_immutable_truncate",
        r#"CREATE TRIGGER extension_version_immutable_truncate BEFORE TRUNCATE ON @schema@.extension_version FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_version_immutable()"#,
    ),
    (
        "extension_version_immutable",
        r#"CREATE TRIGGER extension_version_immutable BEFORE DELETE OR UPDATE ON @schema@.extension_version FOR EACH ROW EXECUTE FUNCTION @schema@.extension_version_immutable()"#,
    ),
    (
        "extension_version_list_idx",
        r#"CREATE INDEX extension_version_list_idx ON @schema@.extension_version USING btree (registry_id, created_at DESC NULLS LAST, id DESC) INCLUDE (version)"#,
    ),
    (
        "extension_version_release_idx",
        r#"CREATE INDEX extension_version_release_idx ON @schema@.extension_version USING btree (registry_id, "substring"(((version)::text COLLATE "C"), '^([0-9]+[.][0-9]+)[.]'::text), (("substring"(((version)::text COLLATE "C"), '^[0-9]+[.][0-9]+[.]([0-9]+)'::text))::numeric)) WHERE (((version)::text COLLATE "C") ~ '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)([+][0-9A-Za-z.-]+)?$'::text)"#,
    ),
];

/// As it was before V14 and V15.
const EARLIER: &[(&str, &str)] = &[
    (
        "extension_bundle_immutable_insert",
        r#"CREATE TRIGGER extension_bundle_immutable_insert BEFORE INSERT ON @schema@.extension_bundle FOR EACH ROW WHEN ((current_setting('ext_registry.finalizing'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @schema@.extension_bundle_immutable()"#,
    ),
    (
        "extension_registry_identity_immutable_stored",
        r#"CREATE CONSTRAINT TRIGGER extension_registry_identity_immutable_stored AFTER UPDATE ON @schema@.extension_registry NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (((old.publisher)::text COLLATE "C") IS DISTINCT FROM ((new.publisher)::text COLLATE "C")) OR (((old.name)::text COLLATE "C") IS DISTINCT FROM ((new.name)::text COLLATE "C")))) EXECUTE FUNCTION @schema@.extension_registry_identity_immutable()"#,
    ),
    (
        "extension_registry_identity_immutable",
        r#"CREATE TRIGGER extension_registry_identity_immutable BEFORE UPDATE ON @schema@.extension_registry FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (((old.publisher)::text COLLATE "C") IS DISTINCT FROM ((new.publisher)::text COLLATE "C")) OR (((old.name)::text COLLATE "C") IS DISTINCT FROM ((new.name)::text COLLATE "C")))) EXECUTE FUNCTION @schema@.extension_registry_identity_immutable()"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_of_a_plain_column_makes_no_difference() {
        assert!(same(
            r#"WHEN (((old.name)::text COLLATE "C") = 'a'::text)"#,
            r#"WHEN ((old.name COLLATE "C") = 'a'::text)"#,
        ));
        assert!(!same("(lower(name))::text", "lower(name)"));
        assert!(!same("CHECK (adopted)", "CHECK ((NOT adopted))"));
    }
}
