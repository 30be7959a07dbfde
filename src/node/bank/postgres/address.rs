//! Where a database is, and the channel to it.

use super::fault::{REACH, fault};
use super::schema;
use super::tls::Tls;
use bank::store::StoreError;
use postgres::config::{Host, SslMode, TargetSessionAttrs};
use postgres::{Client, Config, NoTls};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long bytes may stay unacknowledged, and a silent server unasked: after it a connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);
/// The environment's password, as for the programs of PostgreSQL: an argument can be read by every user of a machine.
const PASSWORD: &str = "PGPASSWORD";
/// The environment's file of certificates that may sign a server's, in PEM, as for the programs of PostgreSQL.
const ROOTS: &str = "PGSSLROOTCERT";

/// A database of PostgreSQL, as `postgres://USER@HOST/DATABASE` or `host=DIRECTORY dbname=DATABASE`.
#[derive(Clone)]
pub(crate) struct Address {
    /// As it was given.
    text: String,
    config: Box<Config>,
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Address {}

impl Address {
    /// A connection that is set up. It goes through TLS unless it stays on this machine.
    pub(super) fn connect(&self) -> Result<Client, StoreError> {
        let mut config = self.config.clone();
        config.connect_timeout(CONNECT_WITHIN).keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        config.target_session_attrs(TargetSessionAttrs::ReadWrite).application_name("compup2p");
        if let (None, Ok(password)) = (config.get_password(), std::env::var(PASSWORD)) {
            config.password(password);
        }
        let connected = if self.leaves_machine() {
            config.ssl_mode(SslMode::Require);
            config.connect(Tls::new(&roots()?)?)
        } else {
            config.ssl_mode(SslMode::Disable);
            config.connect(NoTls)
        };
        let mut client = connected.map_err(fault(REACH))?;
        schema::prepare(&mut client)?;
        Ok(client)
    }

    /// Whether others could listen: anything but a Unix socket and the loopback; or the user asks for TLS.
    fn leaves_machine(&self) -> bool {
        let is_remote = self.config.get_hosts().iter().any(|host| match host {
            Host::Unix(_) => false,
            Host::Tcp(name) => !is_loopback(name),
        });
        let is_elsewhere = self.config.get_hostaddrs().iter().any(|ip| !ip.is_loopback());
        is_remote || is_elsewhere || self.config.get_ssl_mode() == SslMode::Require
    }
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The file of trusted certificates. None is trusted by default: a bank should know its own database's.
fn roots() -> Result<Vec<u8>, StoreError> {
    let failed = |reason: String| StoreError::Failed { what: "trust the database", reason };
    let path = std::env::var_os(ROOTS).ok_or_else(|| {
        failed(format!("it is on another machine: name the file of its certificate authority in {ROOTS}"))
    })?;
    std::fs::read(&path).map_err(|e| failed(format!("{}: {e}", path.display())))
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected postgres://USER@HOST/DATABASE, or \"host=/path/of/socket user=USER dbname=DATABASE\"";
        let config = Config::from_str(text).map_err(|error| {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}; {EXPECTED}")
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(format!("it names no host; {EXPECTED}"));
        }
        Ok(Self { text: text.into(), config: Box::new(config) })
    }
}

impl fmt::Display for Address {
    /// Without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.config.get_hosts().iter().map(name).collect();
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string);
        let place = if hosts.is_empty() { addresses.collect() } else { hosts };
        write!(f, "PostgreSQL at {}", place.join(", "))?;
        self.config.get_dbname().map_or(Ok(()), |name| write!(f, ", database {name}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str, leaves_machine: bool) {
        let address: Address = text.parse().unwrap();
        assert_eq!(
            (address.to_string().as_str(), address.leaves_machine()),
            (shown, leaves_machine),
            "{text}"
        );
    }

    #[test]
    fn only_a_database_on_this_machine_is_reached_without_tls() {
        check("postgres://me@localhost/money", "PostgreSQL at localhost, database money", false);
        check("postgresql://me@127.0.0.1:5433/money", "PostgreSQL at 127.0.0.1, database money", false);
        check("postgres://me@[::1]/money", "PostgreSQL at ::1, database money", false);
        check("host=/run/postgresql dbname=money", "PostgreSQL at /run/postgresql, database money", false);
        check("postgres://me@%2Frun%2Fpg/money", "PostgreSQL at /run/pg, database money", false);
        check("postgres://me@db.example/money", "PostgreSQL at db.example, database money", true);
        check("postgres://me@localhost,10.0.0.7/m", "PostgreSQL at localhost, 10.0.0.7, database m", true);
        check("host=localhost hostaddr=10.0.0.7 user=me", "PostgreSQL at localhost", true);
        check("postgres://me@localhost/m?sslmode=require", "PostgreSQL at localhost, database m", true);
    }

    #[test]
    fn a_password_is_not_shown() {
        let address: Address = "postgres://me:secret@localhost/money".parse().unwrap();
        assert_eq!(format!("{address} {address:?}").matches("secret").count(), 0);
        assert_eq!(address.config.get_password(), Some(b"secret".as_slice()));
    }

    #[test]
    fn what_names_no_database_is_refused_with_what_was_expected() {
        let check = |text: &str, start: &str| {
            let refused = Address::from_str(text).unwrap_err();
            assert!(
                refused.starts_with(start) && refused.contains("expected postgres://"),
                "{text}: {refused}"
            );
        };
        check("dbname=money", "it names no host; ");
        check("postgres://", "it names no host; ");
        check("mysql://me@host/money", "invalid connection string");
        check("host=a colour=blue", "invalid connection string: unknown option");
    }
}
