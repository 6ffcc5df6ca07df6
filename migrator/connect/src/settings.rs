//! Connection settings by libpq's keywords: from a URL or connection string, a service file, the environment.
//!
//! No message here repeats a value or, where it could be part of a misread password, a key.

use std::collections::BTreeMap;
use std::env;

use percent_encoding::percent_decode_str;

use crate::Error;
use crate::service;

/// Keyword and environment variable of every setting that is understood.
const KEYWORDS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("tcp_user_timeout", ""),
    ("keepalives", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("keepalives_count", ""),
    ("channel_binding", "PGCHANNELBINDING"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslpassword", ""),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
];

/// Accepted and without effect here.
const IGNORED: &[&str] = &[
    "client_encoding",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "krbsrvname",
    "load_balance_hosts",
    "sslcompression",
    "sslsni",
];

/// Settings that would make a connection safer than it then is: better refused than ignored.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("requirepeer", "PGREQUIREPEER"),
    ("require_auth", "PGREQUIREAUTH"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
];

/// Settings by keyword. Holds the password: has no `Debug`.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// What was given on the command line first, then the service file, then the environment.
    pub fn resolve(given: Option<&str>) -> Result<Self, Error> {
        let mut settings = match given.map(str::trim).filter(|given| !given.is_empty()) {
            Some(given) => Self::parse(given)?,
            None => Self::default(),
        };
        let environment = Self::environment()?;
        if let Some(name) = settings.get("service").or(environment.get("service")) {
            let file = settings
                .get("servicefile")
                .or(environment.get("servicefile"));
            let section = service::read(name, file)?;
            settings.fill(Self::from_pairs(section.into_iter(), true)?);
        }
        settings.fill(environment);
        Ok(settings)
    }

    /// The value of a keyword; an empty one counts as not given, as in libpq.
    pub fn get(&self, keyword: &str) -> Option<&str> {
        self.0
            .get(keyword)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn fill(&mut self, other: Self) {
        for (keyword, value) in other.0 {
            self.0.entry(keyword).or_insert(value);
        }
    }

    fn environment() -> Result<Self, Error> {
        let set = |variable: &str| env::var(variable).ok().filter(|value| !value.is_empty());
        if let Some((_, variable)) = UNSUPPORTED.iter().find(|(_, v)| set(v).is_some()) {
            return Err(Error::Settings(format!("{variable} is not supported")));
        }
        let pairs = KEYWORDS
            .iter()
            .filter(|(_, variable)| !variable.is_empty())
            .filter_map(|(keyword, variable)| Some((*keyword, set(variable)?)));
        Ok(Self(pairs.collect()))
    }

    fn parse(given: &str) -> Result<Self, Error> {
        let url = ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| given.strip_prefix(scheme));
        match url {
            Some(rest) => Self::from_url(rest),
            None if given.contains("://") || !given.contains('=') => Err(Error::Settings(
                "the database URL begins neither with postgres:// nor with keyword=value"
                    .to_owned(),
            )),
            None => Self::from_pairs(words(given)?.into_iter(), false),
        }
    }

    /// `[user[:password]@][host[:port][,…]][/dbname][?keyword=value[&…]]`
    fn from_url(rest: &str) -> Result<Self, Error> {
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, dbname) = before_query.split_once('/').unwrap_or((before_query, ""));
        // A password with an unescaped @, / or ? splits in the wrong place: part of it would pass for a host or a
        // database, and be shown.
        let ambiguous = authority.contains('@') && rest.matches('@').count() > 1;
        if ambiguous || dbname.contains('@') {
            return Err(malformed());
        }
        let (user, hosts) = match authority.split_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let mut pairs = Vec::new();
        if let Some(user) = user {
            let (name, password) = match user.split_once(':') {
                Some((name, password)) => (name, Some(password)),
                None => (user, None),
            };
            pairs.push(("user".to_owned(), decode(name)?));
            if let Some(password) = password {
                pairs.push(("password".to_owned(), decode(password)?));
            }
        }
        let (hosts, ports) = hosts_and_ports(hosts)?;
        pairs.push(("host".to_owned(), decode(&hosts)?));
        pairs.push(("port".to_owned(), decode(&ports)?));
        pairs.push(("dbname".to_owned(), decode(dbname)?));
        pairs.retain(|(_, value)| !value.is_empty());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (keyword, value) = parameter.split_once('=').ok_or_else(malformed)?;
            pairs.push(match (decode(keyword)?.as_str(), decode(value)?.as_str()) {
                // JDBC's way, which libpq accepts as well.
                ("ssl", "true") => ("sslmode".to_owned(), "require".to_owned()),
                (keyword, value) => (keyword.to_owned(), value.to_owned()),
            });
        }
        Self::from_pairs(pairs.into_iter(), user.is_some() || !query.contains('@'))
    }

    /// `show` tells whether an unknown keyword may be named in the error.
    fn from_pairs(
        pairs: impl Iterator<Item = (String, String)>,
        show: bool,
    ) -> Result<Self, Error> {
        let mut settings = Self::default();
        for (given, value) in pairs {
            if let Some((keyword, _)) = KEYWORDS.iter().find(|(keyword, _)| *keyword == given) {
                settings.0.insert(keyword, value);
            } else if let Some((keyword, _)) = UNSUPPORTED.iter().find(|(k, _)| *k == given) {
                return Err(Error::Settings(format!(
                    "the connection setting {keyword} is not supported"
                )));
            } else if !IGNORED.contains(&given.as_str()) {
                return Err(Error::Settings(match show {
                    true => format!("unknown connection setting {given:?}"),
                    false => "the connection string holds an unknown setting".to_owned(),
                }));
            }
        }
        Ok(settings)
    }
}

fn malformed() -> Error {
    Error::Settings(
        "the database URL is malformed: write @ / ? # % in a user name or password as %40 %2F %3F %23 %25"
            .to_owned(),
    )
}

fn decode(text: &str) -> Result<String, Error> {
    let bytes = text.as_bytes();
    let wrong = bytes.iter().enumerate().any(|(at, byte)| {
        let digits = bytes.get(at + 1..at + 3);
        *byte == b'%' && !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
    });
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if !wrong && !decoded.contains('\0') => Ok(decoded.into_owned()),
        _ => Err(malformed()),
    }
}

/// `a:1,b` becomes `a,b` and `1,`; IPv6 addresses stand in brackets.
fn hosts_and_ports(list: &str) -> Result<(String, String), Error> {
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for entry in list.split(',') {
        let (host, port) = match entry.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']').ok_or_else(malformed)?;
                let port = match after {
                    "" => "",
                    _ => after.strip_prefix(':').ok_or_else(malformed)?,
                };
                (address, port)
            }
            None => entry.split_once(':').unwrap_or((entry, "")),
        };
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        hosts.push(host);
        ports.push(port);
    }
    let ports = match ports.iter().all(|port| port.is_empty()) {
        true => String::new(),
        false => ports.join(","),
    };
    Ok((hosts.join(","), ports))
}

/// libpq's `keyword=value keyword='va lue'`, with backslash as escape.
fn words(text: &str) -> Result<Vec<(String, String)>, Error> {
    let broken = || Error::Settings("the connection string is malformed".to_owned());
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=').ok_or_else(broken)?;
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut value = String::new();
        let mut chars = after.char_indices().skip(usize::from(quoted));
        let end = loop {
            match chars.next() {
                Some((_, '\\')) => value.extend(chars.next().map(|(_, c)| c)),
                Some((at, '\'')) if quoted => break at + 1,
                Some((at, c)) if !quoted && c.is_whitespace() => break at,
                Some((_, c)) => value.push(c),
                None if quoted => return Err(broken()),
                None => break after.len(),
            }
        };
        pairs.push((keyword.trim().to_owned(), value));
        rest = after[end..].trim_start();
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests;
