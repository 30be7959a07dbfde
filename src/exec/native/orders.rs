//! What the step into the sandbox is told: the arguments of the hidden command [`WORD`].
//!
//! They travel on a command line, so that they need no file and no descriptor, and they name nothing of the host: the
//! program sees its supervisor's command line in `/proc`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// The hidden command that takes this step.
pub(crate) const WORD: &str = "sandbox-exec";
/// What a trial prints: who says the same understands the same orders. The number behind the version is that of the orders.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "/3");

/// What one process of ours does on the way to the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is the first process of a process namespace: it confines itself, starts the program and sees it end.
    #[default]
    Whole,
    /// There is no namespace around it: it starts an [`Stage::Inner`] one, which cannot reach it, and sees it end.
    Outer,
    /// It confines itself and becomes the program.
    Inner,
    /// It is the builder, whose copies take the step.
    Builder,
    /// It does nothing: a trial of what is around it.
    Trial,
}

/// Everything that a program is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) stage: Stage,
    /// Most processes and threads of the user of this process, where that bounds the program alone.
    pub(super) processes: Option<u64>,
    /// Most private memory of one process, in bytes.
    pub(super) memory: u64,
    /// Largest file, in bytes.
    pub(super) file: u64,
    /// Most processor time of one process, in seconds.
    pub(super) seconds: u64,
    /// The processors that it may use.
    pub(super) cores: Vec<usize>,
    /// How far it gives way to others: 0, as any program, to 19.
    pub(super) nice: i32,
    /// Its standard input; empty if absent.
    pub(super) stdin: Option<PathBuf>,
    /// Where it may read and execute, and where also write, by Landlock; both empty: no Landlock.
    pub(super) readable: Vec<PathBuf>,
    pub(super) writable: Vec<PathBuf>,
    /// Whether system calls are filtered, and whether the filter lets sockets of this machine through.
    pub(super) is_filtered: bool,
    pub(super) has_local_sockets: bool,
    /// Whether it lays down what privileges it has.
    pub(super) lays_down: bool,
    /// Its environment, all of it.
    pub(super) environment: Vec<(String, String)>,
    /// Argument 0.
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

impl Orders {
    /// As arguments, [`WORD`] first.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![WORD.into(), self.stage.word().into()];
        let mut say = |key: &str, value: &OsStr| words.extend([OsString::from(key), value.to_owned()]);
        let number = |value: u64| OsString::from(value.to_string());
        self.processes.iter().for_each(|most| say("processes", &number(*most)));
        say("memory", &number(self.memory));
        say("file", &number(self.file));
        say("seconds", &number(self.seconds));
        self.cores.iter().for_each(|core| say("core", OsStr::new(&core.to_string())));
        say("nice", OsStr::new(&self.nice.to_string()));
        self.stdin.iter().for_each(|path| say("stdin", path.as_os_str()));
        self.readable.iter().for_each(|path| say("read", path.as_os_str()));
        self.writable.iter().for_each(|path| say("write", path.as_os_str()));
        for (is_said, what) in
            [(self.is_filtered, "filter"), (self.has_local_sockets, "sockets"), (self.lays_down, "lay-down")]
        {
            if is_said {
                say("do", OsStr::new(what));
            }
        }
        for (name, value) in &self.environment {
            say("set", OsStr::new(&format!("{name}={value}")));
        }
        say("name", OsStr::new(&self.name));
        say("run", self.program.as_os_str());
        words.extend(self.arguments.iter().map(OsString::from));
        words
    }

    /// From what stands behind [`WORD`].
    pub(super) fn read(mut words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let stage = words.next().and_then(|word| Stage::read(&word)).ok_or("it is not said what to do")?;
        let mut orders = Self { stage, ..Self::default() };
        if stage == Stage::Trial {
            return Ok(orders);
        }
        while let Some(key) = words.next() {
            let value = words.next().ok_or("an order has no value")?;
            if key == "run" {
                orders.program = value.into();
                let rest = words.map(|word| word.into_string().map_err(|_| "an argument is not UTF-8"));
                orders.arguments = rest.collect::<Result<_, _>>()?;
                return Ok(orders);
            }
            orders.take(&key, &value).ok_or_else(|| format!("the order {key:?} is not understood"))?;
        }
        Err("no program is named".into())
    }

    fn take(&mut self, key: &OsStr, value: &OsStr) -> Option<()> {
        let path = || PathBuf::from(OsString::from_vec(value.as_bytes().to_vec()));
        let text = value.to_str();
        let number = || text?.parse::<u64>().ok();
        match key.to_str()? {
            "processes" => self.processes = Some(number()?),
            "memory" => self.memory = number()?,
            "file" => self.file = number()?,
            "seconds" => self.seconds = number()?,
            "core" => self.cores.push(text?.parse().ok()?),
            "nice" => self.nice = text?.parse().ok()?,
            "stdin" => self.stdin = Some(path()),
            "read" => self.readable.push(path()),
            "write" => self.writable.push(path()),
            "set" => {
                let (name, value) = text?.split_once('=')?;
                self.environment.push((name.into(), value.into()));
            }
            "name" => self.name = text?.into(),
            "do" => match text? {
                "filter" => self.is_filtered = true,
                "sockets" => self.has_local_sockets = true,
                "lay-down" => self.lays_down = true,
                _ => return None,
            },
            _ => return None,
        }
        Some(())
    }
}

impl Stage {
    const ALL: [Self; 5] = [Self::Whole, Self::Outer, Self::Inner, Self::Builder, Self::Trial];

    /// What it is called on a command line.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Outer => "outer",
            Self::Inner => "inner",
            Self::Builder => "builder",
            Self::Trial => "trial",
        }
    }

    /// The one that is called so.
    pub(super) fn read(word: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| word == stage.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_arrive_as_they_were_given() {
        let all = Orders {
            stage: Stage::Outer,
            processes: Some(7),
            memory: 1,
            file: 2,
            seconds: 3,
            cores: vec![0, 5],
            nice: -7,
            stdin: Some("/a b".into()),
            readable: vec!["/usr".into(), "/run".into()],
            writable: vec!["/work".into()],
            is_filtered: true,
            has_local_sockets: true,
            lays_down: true,
            environment: vec![("A".into(), "b=c\nd".into()), ("E".into(), String::new())],
            name: "program".into(),
            program: "/p".into(),
            arguments: vec!["run".into(), String::new(), "--x".into()],
        };
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Trial) {
            for orders in [Orders { stage, ..all.clone() }, Orders { stage, ..Orders::default() }] {
                let mut words = orders.arguments().into_iter();
                assert_eq!(words.next(), Some(WORD.into()));
                assert_eq!(Orders::read(words), Ok(orders));
            }
        }
    }

    #[test]
    fn orders_that_are_not_understood_are_refused() {
        for (words, why) in [
            (&[][..], "it is not said what to do"),
            (&["fly"], "it is not said what to do"),
            (&["whole"], "no program is named"),
            (&["whole", "memory"], "an order has no value"),
            (&["whole", "memory", "much"], "the order \"memory\" is not understood"),
            (&["whole", "do", "evil"], "the order \"do\" is not understood"),
            (&["whole", "set", "novalue"], "the order \"set\" is not understood"),
        ] {
            let read = Orders::read(words.iter().map(OsString::from));
            assert_eq!(read, Err(why.to_owned()), "{words:?}");
        }
    }
}
