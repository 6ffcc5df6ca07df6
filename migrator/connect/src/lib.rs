//! Opens a session with PostgreSQL the way libpq does: the same settings, defaults, files and sslmodes.

mod attributes;
mod error;
mod passfile;
mod service;
mod settings;
mod target;
mod tls;

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};

use crate::attributes::Attributes;
use crate::error::Cause;
use crate::settings::Settings;
use crate::target::Target;
use crate::tls::SslMode;

pub use crate::error::{Error, describe, one_line};

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Warning,
    /// Only for who wants to know everything.
    Notice,
}

/// Takes what a file of libpq's or, later on, the server has to say.
pub type Report = dyn Fn(Severity, &str) + Send + Sync;

/// Where and how to connect. Holds the password: has no `Debug`.
#[derive(Clone)]
pub struct Connection {
    settings: Settings,
    targets: Vec<Target>,
    user: String,
    dbname: String,
    sslmode: SslMode,
    attributes: Attributes,
    application_name: &'static str,
    report: Arc<Report>,
}

impl Connection {
    /// From the URL or connection string, libpq's variables and its defaults, in that order. `application_name` is for
    /// those who set none.
    ///
    /// # Errors
    /// [`Error::Settings`] where they make no sense; never repeats a password.
    pub fn resolve(
        given: Option<&str>,
        application_name: &'static str,
        report: Arc<Report>,
    ) -> Result<Self, Error> {
        let settings = Settings::resolve(given)?;
        let user = match settings.get("user") {
            Some(user) => user.to_owned(),
            None => whoami::username().map_err(|error| {
                Error::Settings(format!(
                    "no user is given and the system names none: {error}"
                ))
            })?,
        };
        Ok(Self {
            targets: target::targets(&settings)?,
            dbname: settings.get("dbname").unwrap_or(&user).to_owned(),
            sslmode: SslMode::of(&settings)?,
            attributes: settings
                .get("target_session_attrs")
                .map_or(Ok(Attributes::Any), Attributes::from_str)?,
            user,
            settings,
            application_name,
            report,
        })
    }

    /// Opens a session on the first host that answers and is what `target_session_attrs` asks for; with it comes the
    /// way to open more of them on this host.
    ///
    /// # Errors
    /// [`Error::Refused`], which names hosts, database and causes in one line.
    pub fn open(&self) -> Result<(Client, Self), Error> {
        let mut causes: Vec<String> = Vec::new();
        let mut code = None;
        for wanted in self.attributes.rounds() {
            for target in &self.targets {
                let opened = self
                    .open_on(target)?
                    .and_then(|mut client| wanted.fit(&mut client).map(|()| client));
                match opened {
                    Ok(client) => {
                        let again = Self {
                            targets: vec![target.clone()],
                            attributes: wanted,
                            ..self.clone()
                        };
                        return Ok((client, again));
                    }
                    Err(cause) => {
                        code = cause.code.or(code);
                        let text = format!("{target}: {}", cause.text);
                        if !causes.contains(&text) {
                            causes.push(text);
                        }
                    }
                }
            }
        }
        Err(Error::Refused {
            target: format!("database {:?} as {:?}", self.dbname, self.user),
            cause: causes.join("; "),
            code,
        })
    }

    /// The outer error is one of the settings; after the inner one, a cause, the next host is tried.
    fn open_on(&self, target: &Target) -> Result<Result<Client, Cause>, Error> {
        let config = self.config(target)?;
        let plain = || {
            let mut config = config.clone();
            config.ssl_mode(postgres::config::SslMode::Disable);
            config.connect(NoTls)
        };
        // Sockets carry no TLS, whatever sslmode says; libpq does the same.
        if target.is_socket() || self.sslmode == SslMode::Disable {
            return Ok(plain().map_err(Cause::from));
        }
        let connector = tls::connector(&self.settings, self.sslmode)?;
        let with_tls = || {
            let mut config = config.clone();
            config.ssl_mode(postgres::config::SslMode::Require);
            config.connect(connector.clone())
        };
        Ok(match self.sslmode {
            SslMode::Allow => either(plain, with_tls),
            SslMode::Prefer => either(with_tls, plain),
            _ => with_tls().map_err(Cause::from),
        })
    }

    fn config(&self, target: &Target) -> Result<Config, Error> {
        let mut config = self.options()?;
        target.apply(&mut config);
        config.user(&self.user).dbname(&self.dbname);
        if let Some(password) = self.password(target) {
            config.password(password);
        }
        let report = Arc::clone(&self.report);
        config.notice_callback(move |notice| {
            let severity = match notice.severity() {
                "WARNING" => Severity::Warning,
                _ => Severity::Notice,
            };
            report(severity, &format!("server: {}", notice.message()));
        });
        Ok(config)
    }

    /// Everything that libpq and the driver spell alike, and mean alike.
    fn options(&self) -> Result<Config, Error> {
        let same = [
            ("options", "options"),
            ("application_name", "application_name"),
            ("connect_timeout", "connect_timeout"),
            ("tcp_user_timeout", "tcp_user_timeout"),
            ("keepalives", "keepalives"),
            ("keepalives_idle", "keepalives_idle"),
            ("keepalives_interval", "keepalives_interval"),
            ("keepalives_count", "keepalives_retries"),
            ("channel_binding", "channel_binding"),
            ("sslnegotiation", "sslnegotiation"),
        ];
        let mut all = vec![format!("application_name='{}'", self.application_name)];
        for (keyword, driver) in same {
            let Some(value) = self.settings.get(keyword) else {
                continue;
            };
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            let pair = format!("{driver}='{quoted}'");
            Config::from_str(&pair).map_err(|_| {
                Error::Settings(format!(
                    "the connection setting {keyword} has no such value"
                ))
            })?;
            all.push(pair);
        }
        Config::from_str(&all.join(" "))
            .map_err(|_| Error::Settings("the connection settings do not fit together".to_owned()))
    }

    fn password(&self, target: &Target) -> Option<String> {
        if let Some(password) = self.settings.get("password") {
            return Some(password.to_owned());
        }
        let path = match self.settings.get("passfile") {
            Some(path) => PathBuf::from(path),
            None => env::home_dir()?.join(".pgpass"),
        };
        let wanted = passfile::Wanted {
            host: target.passfile_host(),
            port: &target.port.to_string(),
            dbname: &self.dbname,
            user: &self.user,
        };
        passfile::password(&path, &wanted, self.report.as_ref())
    }
}

/// The second way where the first one fails for want or excess of encryption.
fn either(
    first: impl Fn() -> Result<Client, postgres::Error>,
    second: impl Fn() -> Result<Client, postgres::Error>,
) -> Result<Client, Cause> {
    let error = match first() {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    // The server has spoken, and not about encryption.
    if error
        .code()
        .is_some_and(|code| *code != SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
    {
        return Err(error.into());
    }
    second().map_err(|other| {
        let (error, mut other) = (describe(&error), Cause::from(other));
        if error != other.text && !error.contains("does not support TLS") {
            other.text = format!("{error}; {}", other.text);
        }
        other
    })
}
