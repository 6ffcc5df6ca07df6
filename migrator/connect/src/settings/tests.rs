//! What is understood, and what no error shows.

use super::*;

fn parsed(given: &str) -> Vec<(&'static str, String)> {
    Settings::parse(given).unwrap().0.into_iter().collect()
}

fn message(given: &str) -> String {
    match Settings::parse(given) {
        Ok(_) => panic!("{given} was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn urls() {
    assert_eq!(
        parsed("postgres://me:p%40ss@db.example:6543/app?sslmode=verify-full&sslrootcert=/ca.pem"),
        [
            ("dbname", "app".to_owned()),
            ("host", "db.example".to_owned()),
            ("password", "p@ss".to_owned()),
            ("port", "6543".to_owned()),
            ("sslmode", "verify-full".to_owned()),
            ("sslrootcert", "/ca.pem".to_owned()),
            ("user", "me".to_owned()),
        ]
    );
    assert_eq!(
        parsed("postgresql://%2Fvar%2Frun%2Fpostgresql/app"),
        [
            ("dbname", "app".to_owned()),
            ("host", "/var/run/postgresql".to_owned()),
        ]
    );
    assert_eq!(
        parsed("postgresql://a:1,[::1]:2,c/app"),
        [
            ("dbname", "app".to_owned()),
            ("host", "a,::1,c".to_owned()),
            ("port", "1,2,".to_owned()),
        ]
    );
    assert_eq!(
        parsed("postgres:///app?user=me@tenant&ssl=true"),
        [
            ("dbname", "app".to_owned()),
            ("sslmode", "require".to_owned()),
            ("user", "me@tenant".to_owned()),
        ]
    );
}

#[test]
fn connection_strings() {
    assert_eq!(
        parsed(r"host = /tmp dbname='my db' password='it\'s' user=a\ b"),
        [
            ("dbname", "my db".to_owned()),
            ("host", "/tmp".to_owned()),
            ("password", "it's".to_owned()),
            ("user", "a b".to_owned()),
        ]
    );
}

#[test]
fn no_error_repeats_a_part_of_a_password() {
    for given in [
        "postgres://user:hun/ter2@host/db",
        "postgres://user:hun?ter2=x@host/db",
        "postgres://user:hun@ter2@host/db",
        "postgres://user:hun@ter2/x@host/db",
        "postgres://user:hun@ter2?x=y@host/db",
        "postgres://user:12/ter2@host/db",
        "postgres://user:hun%ter2@host/db",
        "postgres://user:hun%zzter2@host/db",
        "postgres://user:ter2",
        "mysql://user:ter2@host/db",
        "user=a password=hun ter2=x",
        "user=a password='hun ter2",
        "ter2",
    ] {
        let message = message(given);
        assert!(
            !message.contains("ter2") && !message.contains("hun"),
            "{message}"
        );
    }
}

#[test]
fn what_would_weaken_a_connection_is_refused() {
    assert!(message("postgres://h/db?sslcrl=/crl").contains("sslcrl is not supported"));
    assert!(message("postgres://h/db?sslmod=require").contains("\"sslmod\""));
}
