use clap::CommandFactory;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn durations() {
    assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
    assert_eq!(duration("0"), Ok(Duration::ZERO));
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(duration("10 min"), Ok(Duration::from_secs(600)));
    for wrong in ["", "s", "-1s", "2 days", "99999999999999999999", "1000h"] {
        assert!(duration(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn help_never_shows_the_url_from_the_environment() {
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("DATABASE_URL"));
    assert!(!help.contains("DATABASE_URL="));
}
