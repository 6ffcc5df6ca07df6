//! Assertions about an error that the server is meant to raise.

use postgres::error::DbError;
use serde_json::Value;

/// The fields of an error as a client sees them.
#[derive(Clone, Debug)]
pub struct Refused {
    pub sqlstate: String,
    pub message: String,
    /// DETAIL as the server sent it.
    pub detail_text: Option<String>,
    /// DETAIL as JSON; `null` when there is none or it is no JSON.
    pub detail: Value,
    pub hint: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub constraint: Option<String>,
}

/// Turns a result that must be an error of the server into its fields.
pub trait Refusal {
    /// # Panics
    /// When the call succeeded, or failed without an answer of the server.
    fn refused(self) -> Refused;
}

impl<T> Refusal for Result<T, postgres::Error> {
    #[track_caller]
    fn refused(self) -> Refused {
        match self {
            Ok(_) => panic!("the server was expected to refuse this"),
            Err(error) => match error.as_db_error() {
                Some(fields) => Refused::from(fields),
                None => panic!("the server gave no answer: {error:?}"),
            },
        }
    }
}

impl From<&DbError> for Refused {
    fn from(error: &DbError) -> Self {
        let detail_text = error.detail().map(str::to_owned);
        let detail = detail_text
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        Self {
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: detail.unwrap_or(Value::Null),
            detail_text,
            hint: error.hint().map(str::to_owned),
            schema: error.schema().map(str::to_owned),
            table: error.table().map(str::to_owned),
            constraint: error.constraint().map(str::to_owned),
        }
    }
}

impl Refused {
    #[track_caller]
    pub fn with_sqlstate(self, sqlstate: &str) -> Self {
        assert_eq!(self.sqlstate, sqlstate, "{self:#?}");
        self
    }

    /// `code` in DETAIL, which must be one line of JSON.
    #[track_caller]
    pub fn with_code(self, code: &str) -> Self {
        assert_eq!(self.detail["code"], code, "{self:#?}");
        assert!(
            !self
                .detail_text
                .as_deref()
                .unwrap_or_default()
                .contains('\n'),
            "{self:#?}"
        );
        self
    }

    /// Another field of DETAIL.
    #[track_caller]
    pub fn with_detail(self, field: &str, value: impl Into<Value>) -> Self {
        assert_eq!(self.detail[field], value.into(), "{field} of {self:#?}");
        self
    }

    #[track_caller]
    pub fn with_message_containing(self, part: &str) -> Self {
        assert!(self.message.contains(part), "no {part:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub fn with_table(self, schema: &str, table: &str) -> Self {
        assert_eq!(
            (self.schema.as_deref(), self.table.as_deref()),
            (Some(schema), Some(table)),
            "{self:#?}"
        );
        self
    }

    #[track_caller]
    pub fn with_constraint(self, constraint: &str) -> Self {
        assert_eq!(self.constraint.as_deref(), Some(constraint), "{self:#?}");
        self
    }
}
