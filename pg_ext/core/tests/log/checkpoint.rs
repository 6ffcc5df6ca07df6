//! The text of a checkpoint, against the examples of C2SP tlog-checkpoint and of Go's checksum database.

use ext_registry_core::Error;
use ext_registry_core::log::{Checkpoint, Hash};

const EXAMPLE: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

#[test]
fn the_examples_are_read_and_written() {
    let checkpoint: Checkpoint = EXAMPLE.parse().unwrap();
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.to_string(), EXAMPLE);

    let database = Checkpoint {
        origin: "go.sum database tree".to_owned(),
        size: 123_456_789_012,
        root: Hash::leaf(b"hello world"),
    };
    let text = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n";
    assert_eq!(database.to_string(), text);
    assert_eq!(text.parse(), Ok(database));
}

#[test]
fn an_empty_log_has_a_checkpoint() {
    let empty = Checkpoint {
        origin: "o".to_owned(),
        size: 0,
        root: Hash::root(&[]),
    };
    assert_eq!(
        empty.to_string(),
        "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    );
    assert_eq!(empty.to_string().parse(), Ok(empty));
}

#[test]
fn extension_lines_are_read_over() {
    let extended = format!("{EXAMPLE}more\nand more\n");
    assert_eq!(extended.parse::<Checkpoint>(), EXAMPLE.parse());
}

#[test]
fn anything_else_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (text, reason) in [
        (String::new(), "its last line has no end"),
        (format!("o\n1\n{root}"), "its last line has no end"),
        ("\n".to_owned(), "it has less than three lines"),
        ("o\n1\n".to_owned(), "it has less than three lines"),
        (format!("\n1\n{root}\n"), "it has an empty line"),
        (format!("o\n1\n{root}\n\n"), "it has an empty line"),
        (format!("o\r\n1\n{root}\n"), "it has a control character"),
        (
            format!("o\n01\n{root}\n"),
            "its second line is no tree size",
        ),
        (
            format!("o\n+1\n{root}\n"),
            "its second line is no tree size",
        ),
        (
            format!("o\n-1\n{root}\n"),
            "its second line is no tree size",
        ),
        (
            format!("o\n 1\n{root}\n"),
            "its second line is no tree size",
        ),
        (
            format!("o\n0x1\n{root}\n"),
            "its second line is no tree size",
        ),
        (
            format!("o\n18446744073709551616\n{root}\n"),
            "its second line is no tree size",
        ),
        (
            format!("o\n1\n{}\n", &root[..43]),
            "its third line is no root hash",
        ),
        (
            format!("o\n1\n{} \n", root),
            "its third line is no root hash",
        ),
        (
            format!("o\n1\n{}3=\n", &root[..42]),
            "its third line is no root hash",
        ),
        ("o\n1\nAAAA\n".to_owned(), "its third line is no root hash"),
    ] {
        let refused = text.parse::<Checkpoint>();
        assert_eq!(
            refused,
            Err(Error::InvalidCheckpoint { reason }),
            "{text:?}"
        );
    }
}
