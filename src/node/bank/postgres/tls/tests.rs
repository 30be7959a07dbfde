//! TLS to a real server, with a certificate that is known and with one that is not.

use super::super::tests::cluster::Postgres;
use super::Tls;
use postgres::Config;
use postgres::config::SslMode;
use proto::KeyPair;
use rcgen::{CertificateParams, PublicKeyData};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

/// An address of the loopback that no other server of PostgreSQL listens on.
const HOST: &str = "127.43.7.115";

struct Key(KeyPair, [u8; 32]);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.1
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.0.sign(text).0.to_vec())
    }
}

/// A certificate for the host that is its own authority, and its key; both in PEM.
fn certificate(secret: u8) -> (String, String) {
    let keys = KeyPair::from_secret([secret; 32]);
    let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let certificate = params.self_signed(&Key(keys.clone(), keys.public().0)).unwrap();
    // PKCS #8 of an Ed25519 key (RFC 8410, section 7): everything before the key is the same for all.
    let mut key = proto::id::unhex::<16>("302e020100300506032b657004220420").unwrap().to_vec();
    key.extend(keys.secret());
    (pem("CERTIFICATE", certificate.der()), pem("PRIVATE KEY", &key))
}

fn pem(name: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            (0..3).fold(0, |number, at| number << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let value = usize::try_from(number >> (18 - 6 * digit) & 63).unwrap();
            text.push(if digit <= three.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n"))
}

#[test]
fn a_server_whose_certificate_is_known_is_spoken_to_through_tls_and_no_other() {
    let cluster = Postgres::start(&[&format!("listen_addresses={HOST}")]);
    let (known, key) = certificate(1);
    let owner = fs::metadata(cluster.path()).unwrap();
    for (name, text) in [("server.crt", &known), ("server.key", &key)] {
        let path = cluster.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        let setting = if name == "server.crt" { "ssl_cert_file" } else { "ssl_key_file" };
        cluster.query("postgres", &format!("ALTER SYSTEM SET {setting} = '{}'", path.display()));
    }
    cluster.query("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.query("postgres", "SELECT pg_reload_conf()");
    let mut config: Config = format!("host={HOST} user=compup2p dbname=postgres").parse().unwrap();
    config.ssl_mode(SslMode::Require);
    let mut client = loop {
        // The server reads its new settings a moment after it was told to.
        match config.connect(Tls::new(known.as_bytes()).unwrap()) {
            Ok(client) => break client,
            Err(error) => {
                assert_eq!(error.to_string(), "error performing TLS handshake: server does not support TLS")
            }
        }
    };
    let row = client.query_one("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "TLSv1.3");
    let (other, _) = certificate(2);
    let refused = config.connect(Tls::new(other.as_bytes()).unwrap()).err().unwrap();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.starts_with("invalid peer certificate: "), "{cause}");
}

#[test]
fn a_file_without_certificates_is_refused() {
    let reason = "cannot trust the database: the file of its authority holds no certificate";
    assert_eq!(Tls::new(b"nothing").err().unwrap().to_string(), reason);
}
