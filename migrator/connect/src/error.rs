//! What keeps a session from being opened, and the words of a server's refusal.

use postgres::error::SqlState;

/// Every error of this crate. Its text is one sentence that can be shown to a person and repeats no password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings make no sense, or a file that they name cannot be used: nothing was tried.
    #[error("{0}")]
    Settings(String),

    /// No host could be reached, let the user in, and is what `target_session_attrs` asks for.
    #[error("cannot connect to {target}: {cause}")]
    Refused {
        target: String,
        cause: String,
        /// What the last server that answered said.
        code: Option<SqlState>,
    },
}

/// Why one host will not do.
pub(crate) struct Cause {
    pub text: String,
    pub code: Option<SqlState>,
}

impl From<postgres::Error> for Cause {
    fn from(error: postgres::Error) -> Self {
        Self {
            text: describe(&error),
            code: error.code().cloned(),
        }
    }
}

/// The server's message with its SQLSTATE, detail and hint, or the causes of a client error, in one line.
pub fn describe(error: &postgres::Error) -> String {
    let text = match error.as_db_error() {
        Some(db) => {
            let mut text = format!("{} ({})", db.message(), db.code().code());
            for part in [db.detail(), db.hint()].into_iter().flatten() {
                text.push_str("; ");
                text.push_str(part);
            }
            text
        }
        None => {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                let cause_text = cause.to_string();
                if !text.contains(&cause_text) {
                    text.push_str(": ");
                    text.push_str(&cause_text);
                }
                source = cause.source();
            }
            text
        }
    };
    one_line(&text)
}

/// Line breaks become spaces: an error is one line wherever it is logged.
pub fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
