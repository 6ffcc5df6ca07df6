//! Every sslmode, and what the certificate has to show.

use std::fs;

use ext_registry_tests::{Outcome, built_with_tls};

use crate::{Home, PASSWORD, SERVER, encoded, port, run};

/// Exit code of `status` as this role with this sslmode and root certificate (`""`: none).
fn with_tls(home: &Home, role: &str, host: &str, sslmode: &str, root: &str) -> Outcome {
    let port = port();
    let settings = [
        ("PGHOST", host),
        ("PGHOSTADDR", "127.0.0.1"),
        ("PGPORT", &port),
        ("PGUSER", role),
        ("PGPASSWORD", PASSWORD),
        ("PGDATABASE", "postgres"),
        ("PGSSLMODE", sslmode),
        ("PGSSLROOTCERT", root),
    ];
    run(&mut home.status(&settings))
}

#[test]
fn every_sslmode() {
    if !built_with_tls() {
        return;
    }
    let home = Home::new("sslmode");
    let ca = SERVER.ca_file().to_str().unwrap().to_owned();
    let other = home.write("other.crt", &another_authority(), 0o644);
    // Role, host that the certificate has or has not, sslmode, root certificate, exit code.
    let cases = [
        ("tls", "localhost", "disable", "", 7),
        ("tls", "localhost", "allow", "", 0),
        ("tls", "localhost", "prefer", "", 0),
        ("tls", "localhost", "require", "", 0),
        ("plain", "localhost", "disable", "", 0),
        ("plain", "localhost", "allow", "", 0),
        ("plain", "localhost", "prefer", "", 0),
        ("plain", "localhost", "require", "", 7),
        // With a root certificate, require verifies like verify-ca.
        ("tls", "localhost", "require", &ca, 0),
        ("tls", "localhost", "require", &other, 7),
        ("tls", "localhost", "verify-ca", &ca, 0),
        ("tls", "elsewhere", "verify-ca", &ca, 0),
        ("tls", "localhost", "verify-ca", &other, 7),
        ("tls", "localhost", "verify-full", &ca, 0),
        ("tls", "elsewhere", "verify-full", &ca, 7),
        ("tls", "localhost", "verify-full", &other, 7),
        // The system does not know this authority.
        ("tls", "localhost", "verify-full", "system", 7),
        ("tls", "localhost", "", "system", 7),
        ("tls", "localhost", "require", "system", 2),
        ("plain", "localhost", "prefer", "system", 2),
        ("plain", "localhost", "disable", "system", 2),
        ("tls", "localhost", "verify-full", "", 2),
        ("tls", "localhost", "verify-full", "/nowhere.crt", 2),
        ("tls", "localhost", "require", "/nowhere.crt", 0),
    ];
    for (role, host, sslmode, root, code) in cases {
        let outcome = with_tls(&home, role, host, sslmode, root);
        assert_eq!(
            outcome.code, code,
            "{role} {host} {sslmode} {root:?}: {outcome:?}"
        );
    }
}

/// `SSL_CERT_FILE` makes the server's authority one of the system's. Without sslmode the name of the host counts too.
#[test]
fn the_systems_authorities_imply_verify_full() {
    if !built_with_tls() {
        return;
    }
    let home = Home::new("system");
    let port = port();
    for (host, code) in [("localhost", 0), ("elsewhere", 7)] {
        let settings = [
            ("SSL_CERT_FILE", SERVER.ca_file().to_str().unwrap()),
            ("PGSSLROOTCERT", "system"),
            ("PGHOST", host),
            ("PGHOSTADDR", "127.0.0.1"),
            ("PGPORT", &port),
            ("PGUSER", "tls"),
            ("PGPASSWORD", PASSWORD),
            ("PGDATABASE", "postgres"),
        ];
        run(&mut home.status(&settings)).exited(code);
    }
}

#[test]
fn the_root_certificate_of_the_home_directory_counts() {
    if !built_with_tls() {
        return;
    }
    let home = Home::new("root");
    home.write(".postgresql/root.crt", &another_authority(), 0o644);
    with_tls(&home, "tls", "localhost", "require", "").exited(7);
    let ca = fs::read_to_string(SERVER.ca_file()).unwrap();
    home.write(".postgresql/root.crt", &ca, 0o644);
    with_tls(&home, "tls", "localhost", "require", "").exited(0);
    with_tls(&home, "tls", "localhost", "verify-full", "").exited(0);
    with_tls(&home, "tls", "elsewhere", "verify-full", "").exited(7);
}

#[test]
fn tls_settings_in_the_url() {
    if !built_with_tls() {
        return;
    }
    let home = Home::new("urltls");
    let ca = SERVER.ca_file().to_str().unwrap();
    let url = |host: &str| {
        format!(
            "postgres://tls:{}@{host}:{}/postgres?sslmode=verify-full&sslrootcert={}&hostaddr=127.0.0.1",
            encoded(),
            port(),
            ca.replace('/', "%2F")
        )
    };
    run(home.status(&[]).args(["--database-url", &url("localhost")])).exited(0);
    let refused = run(home.status(&[]).args(["--database-url", &url("elsewhere")])).exited(7);
    assert!(
        refused.stderr.to_lowercase().contains("certificate"),
        "{refused:?}"
    );
}

/// A certificate authority that signed nothing here.
fn another_authority() -> String {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::x509::{X509, X509Name};

    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "another authority")
        .unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    String::from_utf8(certificate.build().to_pem().unwrap()).unwrap()
}
