use super::*;

const WANTED: Wanted = Wanted {
    host: "db",
    port: "5432",
    dbname: "app",
    user: "me",
};

#[test]
fn the_first_line_that_fits_wins() {
    let text = "# db:5432:app:me:comment\nother:*:*:*:no\ndb:*:app:me:yes\n*:*:*:*:late\n";
    assert_eq!(find(text, &WANTED).as_deref(), Some("yes"));
}

#[test]
fn escapes_and_colons() {
    assert_eq!(
        find(r"db:5432:app:me:a\:b\\c:d", &WANTED).as_deref(),
        Some(r"a:b\c:d")
    );
    assert_eq!(find(r"\*:5432:app:me:x", &WANTED), None);
    assert_eq!(find("db:5432:app:me", &WANTED), None);
}
