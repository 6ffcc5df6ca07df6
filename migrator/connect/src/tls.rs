//! TLS as libpq does it: what each sslmode verifies, and against which certificates.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use postgres_openssl::MakeTlsConnector;

use crate::Error;
use crate::settings::Settings;

/// Names the authorities that the system trusts.
const SYSTEM: &str = "system";

/// libpq's sslmode, from none to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    Disable,
    /// Without TLS first, with it where the server insists.
    Allow,
    /// With TLS first, without it where that does not work.
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    /// The one that is set. As in libpq, trust in the system's authorities is worth nothing without the host's name:
    /// `sslrootcert=system` means `verify-full`, and forbids what is weaker; `sslnegotiation=direct` forbids what
    /// could do without TLS.
    pub fn of(settings: &Settings) -> Result<Self, Error> {
        let (weakest, why) = match (settings.get("sslrootcert"), settings.get("sslnegotiation")) {
            (Some(SYSTEM), _) => (
                Self::VerifyFull,
                "sslrootcert=system needs sslmode=verify-full",
            ),
            (_, Some("direct")) => (
                Self::Require,
                "sslnegotiation=direct needs sslmode=require, verify-ca or verify-full",
            ),
            _ => (Self::Disable, ""),
        };
        let mode = match settings.get("sslmode") {
            None if weakest == Self::VerifyFull => weakest,
            None | Some("prefer") => Self::Prefer,
            Some("disable") => Self::Disable,
            Some("allow") => Self::Allow,
            Some("require") => Self::Require,
            Some("verify-ca") => Self::VerifyCa,
            Some("verify-full") => Self::VerifyFull,
            Some(_) => {
                return Err(Error::Settings(
                    "sslmode is none of disable, allow, prefer, require, verify-ca, verify-full"
                        .to_owned(),
                ));
            }
        };
        match mode < weakest {
            true => Err(Error::Settings(why.to_owned())),
            false => Ok(mode),
        }
    }
}

/// Builds the connector. Errors with [`Error::Settings`] where a file is missing or no certificate.
pub fn connector(settings: &Settings, mode: SslMode) -> Result<MakeTlsConnector, Error> {
    let mut builder = SslConnector::builder(SslMethod::tls())?;
    let oldest = match settings.get("ssl_min_protocol_version") {
        None | Some("TLSv1.2") => SslVersion::TLS1_2,
        Some("TLSv1.3") => SslVersion::TLS1_3,
        Some(_) => {
            return Err(Error::Settings(
                "ssl_min_protocol_version is neither TLSv1.2 nor TLSv1.3".to_owned(),
            ));
        }
    };
    builder.set_min_proto_version(Some(oldest))?;

    match roots(settings, mode)? {
        Roots::None => builder.set_verify(SslVerifyMode::NONE),
        Roots::System => builder.set_verify(SslVerifyMode::PEER),
        Roots::File(path) => {
            // The builder trusts the system's roots; here this file is to count and nothing else.
            builder.set_cert_store(X509StoreBuilder::new()?.build());
            builder
                .set_ca_file(&path)
                .map_err(unusable("root certificate file", &path))?;
            builder.set_verify(SslVerifyMode::PEER);
        }
    }

    if let Some(certificate) = file(settings, "sslcert", "postgresql.crt")? {
        builder
            .set_certificate_chain_file(&certificate)
            .map_err(unusable("client certificate", &certificate))?;
        let key = file(settings, "sslkey", "postgresql.key")?.ok_or_else(|| {
            Error::Settings("a client certificate needs its key (sslkey, PGSSLKEY)".to_owned())
        })?;
        match settings.get("sslpassword") {
            None => builder.set_private_key_file(&key, SslFiletype::PEM),
            Some(password) => {
                let pem = fs::read(&key)
                    .map_err(|error| Error::Settings(format!("{}: {error}", key.display())))?;
                PKey::private_key_from_pem_passphrase(&pem, password.as_bytes())
                    .and_then(|key| builder.set_private_key(&key))
            }
        }
        .map_err(unusable("client key", &key))?;
    }
    if settings.get("sslnegotiation") == Some("direct") {
        postgres_openssl::set_postgresql_alpn(&mut builder)?;
    }

    let mut connector = MakeTlsConnector::new(builder.build());
    connector.set_callback(move |ssl, _| {
        ssl.set_verify_hostname(mode == SslMode::VerifyFull);
        Ok(())
    });
    Ok(connector)
}

enum Roots {
    None,
    System,
    File(PathBuf),
}

/// As in libpq, a root file that is there is used in every mode: `require` then verifies like `verify-ca`.
fn roots(settings: &Settings, mode: SslMode) -> Result<Roots, Error> {
    if settings.get("sslrootcert") == Some(SYSTEM) {
        return Ok(Roots::System);
    }
    let path = settings
        .get("sslrootcert")
        .map(PathBuf::from)
        .or_else(|| in_home("root.crt"));
    match path {
        Some(path) if path.exists() => Ok(Roots::File(path)),
        _ if mode < SslMode::VerifyCa => Ok(Roots::None),
        Some(path) => Err(Error::Settings(format!(
            "root certificate file {} does not exist: give one (sslrootcert, PGSSLROOTCERT), use the system's \
             with sslrootcert=system, or lower sslmode",
            path.display()
        ))),
        None => Err(Error::Settings(
            "sslmode verifies the server and there is no root certificate (sslrootcert, PGSSLROOTCERT)"
                .to_owned(),
        )),
    }
}

/// A file that was named must exist; the default one may be missing.
fn file(settings: &Settings, keyword: &str, default: &str) -> Result<Option<PathBuf>, Error> {
    match settings.get(keyword).map(PathBuf::from) {
        Some(path) if path.exists() => Ok(Some(path)),
        Some(path) => Err(Error::Settings(format!(
            "{keyword} {} does not exist",
            path.display()
        ))),
        None => Ok(in_home(default).filter(|path| path.exists())),
    }
}

fn in_home(name: &str) -> Option<PathBuf> {
    Some(env::home_dir()?.join(".postgresql").join(name))
}

fn unusable(what: &'static str, path: &Path) -> impl Fn(ErrorStack) -> Error {
    move |error| Error::Settings(format!("{what} {}: {}", path.display(), reason(&error)))
}

/// What has nothing to do with a file.
impl From<ErrorStack> for Error {
    fn from(error: ErrorStack) -> Self {
        Self::Settings(format!("setting up TLS: {}", reason(&error)))
    }
}

fn reason(error: &ErrorStack) -> String {
    match error.errors().first().and_then(|first| first.reason()) {
        Some(reason) => reason.to_owned(),
        None => error.to_string(),
    }
}
