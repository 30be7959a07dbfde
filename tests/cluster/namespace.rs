//! Two networks of this machine, joined by a cable that can be cut: network namespaces in a user namespace, so that
//! no rights are needed. Needs `unshare` and `nsenter` (util-linux) and `ip` (Debian package iproute2).

use super::harness::Within;
use std::process::{Child, Command, Stdio};

/// One of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Both networks; they end with this value.
pub(crate) struct Cable {
    left: Holder,
    right: Holder,
}

/// A process that holds a namespace open, and ends with its standard input.
struct Holder(Child);

impl Side {
    /// Address number `host` on this side.
    pub(crate) fn address(self, host: usize) -> String {
        format!("10.77.{}.{host}", self.number())
    }

    const fn number(self) -> u8 {
        match self {
            Self::Left => 1,
            Self::Right => 2,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl Cable {
    /// Two networks with `hosts` addresses each, joined; or why this machine cannot have them.
    pub(crate) fn new(hosts: usize) -> Result<Self, String> {
        let left = Holder::start(&Within::new(), &["--user", "--map-root-user", "--net"])?;
        let right = Holder::start(&left.within(), &["--net"])?;
        let cable = Self { left, right };
        let peer = cable.right.0.id().to_string();
        cable.ip(
            Side::Left,
            &["link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", &peer],
        )?;
        for side in [Side::Left, Side::Right] {
            cable.ip(side, &["link", "set", "lo", "up"])?;
            for host in 1..=hosts {
                cable.ip(side, &["address", "add", &format!("{}/32", side.address(host)), "dev", "lo"])?;
            }
            let end = format!("10.77.0.{}/24", side.number());
            cable.ip(side, &["address", "add", &end, "dev", "cable"])?;
        }
        cable.ip(Side::Right, &["link", "set", "cable", "up"])?;
        cable.join()?;
        cable.route(Side::Right)?;
        Ok(cable)
    }

    /// How to run a command on one side.
    pub(crate) fn within(&self, side: Side) -> Within {
        match side {
            Side::Left => self.left.within(),
            Side::Right => self.right.within(),
        }
    }

    /// Cuts the cable. The left side knows that there is no way any more; what the right side sends vanishes.
    pub(crate) fn cut(&self) -> Result<(), String> {
        self.ip(Side::Left, &["link", "set", "cable", "down"])
    }

    /// Joins the two sides.
    pub(crate) fn join(&self) -> Result<(), String> {
        self.ip(Side::Left, &["link", "set", "cable", "up"])?;
        self.route(Side::Left)
    }

    fn route(&self, side: Side) -> Result<(), String> {
        let (network, end) =
            (format!("10.77.{}.0/24", side.other().number()), format!("10.77.0.{}", side.other().number()));
        self.ip(side, &["route", "add", &network, "via", &end])
    }

    fn ip(&self, side: Side, args: &[&str]) -> Result<(), String> {
        let within = self.within(side);
        let words: Vec<&str> =
            within.iter().map(String::as_str).chain(["ip"]).chain(args.iter().copied()).collect();
        let ended = Command::new(words[0]).args(&words[1..]).output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&ended.stderr);
        if ended.status.success() { Ok(()) } else { Err(format!("`ip {}`: {}", args.join(" "), said.trim())) }
    }
}

impl Holder {
    fn start(within: &Within, spaces: &[&str]) -> Result<Self, String> {
        let mut words = within.iter().map(String::as_str).chain(["unshare"]);
        let mut command = Command::new(words.next().unwrap_or("unshare"));
        // It says that it is there, and then only waits.
        command.args(words).args(spaces).args(["sh", "-c", "echo; exec cat"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("unshare: {error}"))?;
        let mut first = [0; 1];
        let mut out = child.stdout.take().expect("it is piped");
        match std::io::Read::read(&mut out, &mut first) {
            Ok(1) => Ok(Self(child)),
            _ => {
                let ended = child.wait_with_output().map_err(|error| error.to_string())?;
                Err(format!(
                    "`unshare {}`: {}",
                    spaces.join(" "),
                    String::from_utf8_lossy(&ended.stderr).trim()
                ))
            }
        }
    }

    fn within(&self) -> Within {
        let target = self.0.id().to_string();
        ["nsenter", "--target", &target, "--user", "--preserve-credentials", "--net", "--"]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
