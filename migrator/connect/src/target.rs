//! The hosts to try, in order.

use std::fmt;
use std::net::IpAddr;

use postgres::Config;

use crate::Error;
use crate::settings::Settings;

/// Where libpq looks without a host: Debian's directory, then the one PostgreSQL is built with by default.
const SOCKET_DIRECTORIES: &[&str] = &["/var/run/postgresql", "/tmp"];

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name, an address or the directory of a socket.
    host: String,
    /// Saves the look-up of the name, which then counts for certificates and passwords only.
    address: Option<IpAddr>,
    pub port: u16,
}

impl Target {
    /// Abstract sockets (`@…`) are not supported.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    pub fn apply(&self, config: &mut Config) {
        config.host(&self.host).port(self.port);
        if let Some(address) = self.address {
            config.hostaddr(address);
        }
    }

    /// The default socket directories go by the name of localhost in a password file.
    pub fn passfile_host(&self) -> &str {
        match SOCKET_DIRECTORIES.contains(&self.host.as_str()) {
            true => "localhost",
            false => &self.host,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_socket(), self.address) {
            (true, _) => write!(f, "socket {}/.s.PGSQL.{}", self.host, self.port),
            (false, Some(address)) if address.to_string() != self.host => {
                write!(f, "host {:?} ({address}) port {}", self.host, self.port)
            }
            (false, _) => write!(f, "host {:?} port {}", self.host, self.port),
        }
    }
}

/// Pairs hosts, addresses and ports as libpq does: one port may serve all hosts.
pub fn targets(settings: &Settings) -> Result<Vec<Target>, Error> {
    let list = |keyword| -> Vec<&str> {
        settings
            .get(keyword)
            .map(|value| value.split(',').map(str::trim).collect())
            .unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(Error::Settings(
            "host and hostaddr differ in their number of entries".to_owned(),
        ));
    }
    let count = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(Error::Settings(
            "host and port differ in their number of entries".to_owned(),
        ));
    }
    let mut targets = Vec::new();
    for at in 0..count {
        let port = match ports.get(at).or(ports.first()).filter(|p| !p.is_empty()) {
            None => 5432,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                Error::Settings("the port is not a number from 1 to 65535".to_owned())
            })?,
        };
        let address = match addresses.get(at).filter(|address| !address.is_empty()) {
            None => None,
            Some(address) => Some(
                address
                    .parse::<IpAddr>()
                    .map_err(|_| Error::Settings("hostaddr is not an IP address".to_owned()))?,
            ),
        };
        let host = hosts.get(at).filter(|host| !host.is_empty());
        let hosts = match (host, address) {
            (Some(host), _) => vec![(*host).to_owned()],
            (None, Some(address)) => vec![address.to_string()],
            (None, None) => SOCKET_DIRECTORIES.iter().map(|d| (*d).to_owned()).collect(),
        };
        targets.extend(hosts.into_iter().map(|host| Target {
            host,
            address,
            port,
        }));
    }
    Ok(targets)
}
