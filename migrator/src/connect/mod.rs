//! Opens a session the way libpq does: the same settings, defaults and sslmodes.

mod passfile;
mod service;
mod session;
mod settings;
mod target;
mod tls;

use std::env;
use std::path::PathBuf;
use std::str::FromStr;

use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};

use crate::connect::settings::Settings;
use crate::connect::target::Target;
use crate::connect::tls::SslMode;
use crate::error::{Error, describe};
use crate::output::Output;

pub use crate::connect::session::Session;

/// Where and how to connect. Holds the password: has no `Debug`.
#[derive(Clone)]
pub struct Connection {
    settings: Settings,
    targets: Vec<Target>,
    user: String,
    dbname: String,
    sslmode: SslMode,
    output: Output,
}

impl Connection {
    /// From the URL or connection string, libpq's variables and its defaults, in that order.
    ///
    /// Errors with [`Error::Usage`] where they make no sense; never repeats a password.
    pub fn resolve(given: Option<&str>, output: Output) -> Result<Self, Error> {
        let settings = Settings::resolve(given)?;
        let user = match settings.get("user") {
            Some(user) => user.to_owned(),
            None => whoami::username().map_err(|error| {
                Error::Usage(format!(
                    "no user is given and the system names none: {error}"
                ))
            })?,
        };
        Ok(Self {
            targets: target::targets(&settings)?,
            dbname: settings.get("dbname").unwrap_or(&user).to_owned(),
            sslmode: settings
                .get("sslmode")
                .map_or(Ok(SslMode::Prefer), SslMode::from_str)?,
            user,
            settings,
            output,
        })
    }

    /// Opens a session on the first host that answers.
    ///
    /// Errors with [`Error::Connect`], which names host, database and cause in one line.
    pub fn open(&self) -> Result<Session, Error> {
        let mut causes = Vec::new();
        for target in &self.targets {
            match self.open_on(target)? {
                Ok(client) => {
                    let connection = Self {
                        targets: vec![target.clone()],
                        ..self.clone()
                    };
                    return Ok(Session::new(client, connection, self.output));
                }
                Err(cause) => causes.push(format!("{target}: {cause}")),
            }
        }
        Err(Error::Connect {
            target: format!("database {:?} as {:?}", self.dbname, self.user),
            cause: causes.join("; "),
        })
    }

    /// The outer error is one of usage; after the inner one, a cause, the next host is tried.
    fn open_on(&self, target: &Target) -> Result<Result<Client, String>, Error> {
        let config = self.config(target)?;
        let plain = || {
            let mut config = config.clone();
            config.ssl_mode(postgres::config::SslMode::Disable);
            config.connect(NoTls)
        };
        // Sockets carry no TLS, whatever sslmode says; libpq does the same.
        if target.is_socket() || self.sslmode == SslMode::Disable {
            return Ok(plain().map_err(|error| describe(&error)));
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
            _ => with_tls().map_err(|error| describe(&error)),
        })
    }

    fn config(&self, target: &Target) -> Result<Config, Error> {
        let mut config = self.options()?;
        target.apply(&mut config);
        config.user(&self.user).dbname(&self.dbname);
        if let Some(password) = self.password(target) {
            config.password(password);
        }
        let output = self.output;
        config.notice_callback(move |notice| match notice.severity() {
            "WARNING" => output.log(&format!("server: {}", notice.message())),
            _ => output.detail(&format!("server: {}", notice.message())),
        });
        Ok(config)
    }

    /// Everything that libpq and the driver spell alike.
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
            ("target_session_attrs", "target_session_attrs"),
        ];
        let mut all = vec!["application_name='ext-migrate'".to_owned()];
        for (keyword, driver) in same {
            let Some(value) = self.settings.get(keyword) else {
                continue;
            };
            let value = match (keyword, value) {
                ("target_session_attrs", "primary") => "read-write",
                ("target_session_attrs", "standby") => "read-only",
                ("target_session_attrs", "prefer-standby") => "any",
                _ => value,
            };
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            let pair = format!("{driver}='{quoted}'");
            Config::from_str(&pair).map_err(|_| {
                Error::Usage(format!(
                    "the connection setting {keyword} has no such value"
                ))
            })?;
            all.push(pair);
        }
        Config::from_str(&all.join(" "))
            .map_err(|_| Error::Usage("the connection settings do not fit together".to_owned()))
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
        passfile::password(&path, &wanted, self.output)
    }
}

/// The second way where the first one fails for want or excess of encryption.
fn either(
    first: impl Fn() -> Result<Client, postgres::Error>,
    second: impl Fn() -> Result<Client, postgres::Error>,
) -> Result<Client, String> {
    let error = match first() {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    // The server has spoken, and not about encryption.
    if error
        .code()
        .is_some_and(|code| *code != SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
    {
        return Err(describe(&error));
    }
    second().map_err(|other| {
        let (error, other) = (describe(&error), describe(&other));
        match error == other || error.contains("does not support TLS") {
            true => other,
            false => format!("{error}; {other}"),
        }
    })
}
