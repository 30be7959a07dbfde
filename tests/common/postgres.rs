//! A PostgreSQL of the tests' own: in a temporary directory, behind a Unix socket in it, with no port unless it is asked for.
//!
//! It needs Debian's package `postgresql` or the same programs elsewhere. PostgreSQL refuses to run as root: there it
//! runs as the user `postgres`, which the package makes. It ends when its value is dropped, and with the process that
//! started it however that ends, because a shell waits for the end of its standard input.
//!
//! Used by several binaries: `#[path = "…/tests/common/postgres.rs"] mod cluster;`.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to be ready. Never needed when all is well.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The superuser of the cluster.
const USER: &str = "compup2p";
/// Who runs it instead of root.
const SERVICE: &str = "postgres";
/// Where Debian keeps the programs, by version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Has openssl make a key and a certificate of it.
const NEW_CERTIFICATE: &str = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
/// Starts the server, and ends it in order (SIGINT, "fast") when standard input ends.
const TIED: &str = "\"$@\" & server=$!; read -r _; kill -INT $server; wait $server";

/// A running server.
pub(crate) struct Postgres {
    directory: TempDir,
    programs: PathBuf,
    process: Option<(Child, ChildStdin)>,
    settings: Vec<String>,
    /// The port of its TCP address, when it has one. The name of its socket has it too.
    port: u16,
}

impl Postgres {
    /// A new cluster with one database, `postgres`. `settings` are lines of its configuration.
    pub(crate) fn start(settings: &[&str]) -> Self {
        Self::start_in(&std::env::temp_dir(), settings)
    }

    /// The same below `parent`: whose disk it is to use.
    pub(crate) fn start_in(parent: &Path, settings: &[&str]) -> Self {
        let programs = programs().expect("PostgreSQL is needed here: install the package `postgresql`");
        let directory = tempfile::Builder::new().prefix("pg-").tempdir_in(parent).expect("a directory");
        if is_root() {
            let (user, group) = (id("-u"), id("-g"));
            chown(directory.path(), Some(user), Some(group)).expect("the directory is given away");
        }
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut cluster = Self { directory, programs, process: None, settings, port: 5432 };
        let data = cluster.data();
        let mut initdb = cluster.command("initdb");
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--no-locale",
            "--encoding=UTF8",
            "--username",
            USER,
            "-D",
        ]);
        let made = initdb.arg(&data).output().expect("initdb starts");
        assert!(made.status.success(), "initdb: {made:?}");
        cluster.restart();
        cluster
    }

    /// The address of a database, as `--store` takes it.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("host={} user={USER} dbname={database}", self.directory.path().display())
    }

    /// Where its files are; the user that runs the server can write there.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes a database.
    pub(crate) fn create(&self, database: &str) {
        self.query("postgres", &format!("CREATE DATABASE {database}"));
    }

    /// What a query gives: a line for each row, with `|` between its columns.
    pub(crate) fn query(&self, database: &str, text: &str) -> String {
        let output = self.psql(database, text);
        assert!(output.status.success(), "{text}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A program of PostgreSQL, as the user that runs the server.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = self.as_service(self.programs.join(program).into());
        command.stdin(Stdio::null());
        command
    }

    fn as_service(&self, program: OsString) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", SERVICE, "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.env("LC_ALL", "C").current_dir(self.directory.path());
        command.env("PGPORT", self.port.to_string());
        command.env_remove("PGPASSWORD").env("PGHOST", self.directory.path()).env("PGUSER", USER);
        command
    }

    /// Lets it be reached at a port of the loopback, only through TLS, with a certificate for `localhost`: the port, and
    /// the file of the authority's certificate.
    pub(crate) fn secure(&mut self) -> (u16, PathBuf) {
        self.stop();
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        self.port = free.expect("a free port").port();
        let make = |arguments: &str| {
            let openssl = self.as_service("openssl".into()).args(arguments.split(' ')).output();
            let openssl = openssl.expect("openssl starts");
            assert!(openssl.status.success(), "openssl {arguments}: {openssl:?}");
        };
        make(&format!("{NEW_CERTIFICATE} -subj /CN=authority -keyout ca.key -out ca.pem"));
        make(&format!(
            "{NEW_CERTIFICATE} -subj /CN=database -addext subjectAltName=DNS:localhost -addext \
             basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem"
        ));
        let file = |name: &str| self.directory.path().join(name);
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "ssl=on".into(),
            format!("ssl_cert_file={}", file("server.pem").display()),
            format!("ssl_key_file={}", file("server.key").display()),
        ];
        self.settings.extend(settings);
        let roots = file("ca.pem");
        self.restart();
        (self.port, roots)
    }

    /// Ends the server in order: every connection breaks.
    pub(crate) fn stop(&mut self) {
        if let Some((mut child, stdin)) = self.process.take() {
            drop(stdin);
            let _ = child.wait();
        }
    }

    /// Starts the server, again or for the first time, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "the server is running");
        let mut shell = self.as_service("sh".into());
        shell.args(["-c", TIED, "sh"]).arg(self.programs.join("postgres")).arg("-D").arg(self.data());
        shell.arg("-k").arg(self.directory.path()).args(["-c", "listen_addresses="]);
        for setting in &self.settings {
            shell.args(["-c", setting]);
        }
        let log = fs::File::create(self.directory.path().join("log")).expect("a log");
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let mut child = shell.spawn().expect("the server starts");
        let stdin = child.stdin.take().expect("standard input is piped");
        self.process = Some((child, stdin));
        self.await_ready();
    }

    fn await_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.psql("postgres", "SELECT 1").status.success() {
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "the server is not ready after {PATIENCE:?}: {}", log());
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn psql(&self, database: &str, text: &str) -> Output {
        let mut psql = self.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-d", database, "-c", text]).output().expect("psql starts")
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the programs are: Debian's newest, or those that the path names.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions
        .sort_by_key(|path| path.parent().and_then(|path| path.file_name()?.to_str()?.parse::<u32>().ok()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::split_paths(&path).map(|directory| {
        let program = fs::canonicalize(directory.join("initdb")).unwrap_or_default();
        program.parent().map(Path::to_path_buf).unwrap_or_default()
    });
    let has_all = |path: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| path.join(name).exists());
    versions.into_iter().rev().chain(named).find(has_all)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A number of the user that runs the server.
fn id(of: &str) -> u32 {
    let output = Command::new("id").args([of, SERVICE]).output().expect("id starts");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("the package `postgresql` makes the user `postgres`")
}
