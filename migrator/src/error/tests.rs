use super::*;

#[test]
fn exit_codes_are_those_of_the_contract() {
    let codes = [
        (Error::Usage(String::new()), 2),
        (Error::History(vec![]), 4),
        (
            Error::AnotherRun {
                waited: Duration::ZERO,
                holder: String::new(),
            },
            5,
        ),
        (Error::Destructive(vec![]), 6),
        (Error::Pooled(String::new()), 7),
        (Error::Unfit(vec![]), 1),
        (Error::HistoryChanged(String::new()), 9),
    ];
    for (error, code) in codes {
        assert_eq!(error.exit() as u8, code, "{error}");
    }
    assert_eq!(Exit::Pending as u8, 3);
    assert_eq!(Exit::Unguarded as u8, 8);
}
