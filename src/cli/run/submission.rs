//! The task file of one command: what it names is brought along, what it prints and leaves comes back.

use super::{NOT_FOUND, credits};
use crate::cli::arguments::Run;
use crate::cli::exit;
use crate::control::{Failure, Submit};
use proto::{Cycles, Money, Rate};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The most standard input that is passed, in bytes.
const MAX_STDIN: u64 = 256 << 20;
/// The name under which faults are told.
const FILE: &str = "run";

/// A command, ready to be submitted.
pub(super) struct Prepared {
    pub(super) submit: Submit,
    /// What came on standard input; it goes with this.
    _stdin: Option<NamedTempFile>,
}

impl Prepared {
    pub(super) fn new(run: &Run) -> Result<Self, Failure> {
        let base = std::env::current_dir().map_err(Failure::from_display("disk"))?;
        let (program, arguments) = run.command.split_first().ok_or_else(|| not_found(""))?;
        if !base.join(program).is_file() {
            return Err(not_found(program));
        }
        let stdin = stdin()?;
        let mut draft = Draft { set: BTreeMap::new(), inputs: BTreeMap::new() };
        for path in &run.input {
            draft.input(path)?;
        }
        let mut parameters = Vec::new();
        for argument in arguments {
            let path = Path::new(argument);
            let is_file = base.join(path).is_file();
            parameters.push(if is_file { draft.input(path)? } else { argument.clone() });
        }
        let text = draft.text(run, program, &parameters, stdin.as_ref().map(NamedTempFile::path))?;
        let submit = Submit {
            text,
            file: FILE.into(),
            base,
            to: None,
            set: draft.set,
            lines: BTreeMap::new(),
            patience: run.patience.as_secs_f64(),
            wait_for_sellers: false,
        };
        Ok(Self { submit, _stdin: stdin })
    }
}

fn not_found(program: &str) -> Failure {
    let message = format!("there is no program `{program}`");
    Failure::new("no_file", message, NOT_FOUND).hint(
        "name the file of a program, such as ./job.wasm; commands are not looked for in the search path",
    )
}

/// What comes on standard input, unless that is a terminal.
fn stdin() -> Result<Option<NamedTempFile>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(None);
    }
    let failed = Failure::from_display("stdin");
    let mut file = NamedTempFile::new().map_err(&failed)?;
    let count = std::io::copy(&mut stdin.lock().take(MAX_STDIN + 1), file.as_file_mut()).map_err(&failed)?;
    file.flush().map_err(&failed)?;
    if count > MAX_STDIN {
        let message = format!("standard input has more than {MAX_STDIN} bytes");
        return Err(Failure::new("too_large", message, exit::USAGE).hint("pass it as a file with --input"));
    }
    Ok((count > 0).then_some(file))
}

/// Values go into the file as variables, so that nothing in them means anything to XML.
struct Draft {
    set: BTreeMap<String, String>,
    /// Files by their names in the scratch directory.
    inputs: BTreeMap<String, PathBuf>,
}

impl Draft {
    /// Takes a file along: the name under which the program finds it. That is the path itself if it lies below the working
    /// directory, and else its last part.
    fn input(&mut self, path: &Path) -> Result<String, Failure> {
        let text = path.to_str().ok_or_else(|| {
            Failure::new("usage", format!("the name of {} is no text", path.display()), exit::USAGE)
        })?;
        let plain = service::task::inside(text);
        let last = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let name = plain.ok().or(last).ok_or_else(|| Failure::no_file(path, &"it is no file"))?;
        match self.inputs.insert(name.clone(), path.into()) {
            Some(other) if other != path => {
                let message = format!("{} and {} would both be `{name}`", other.display(), path.display());
                let hint = "run it from a directory from which their paths differ";
                Err(Failure::new("usage", message, exit::USAGE).hint(hint))
            }
            _ => Ok(name),
        }
    }

    /// A value that goes into the file as a variable.
    fn variable(&mut self, value: &str) -> String {
        let name = format!("v{}", self.set.len());
        let mention = format!("${{{name}}}");
        self.set.insert(name, value.into());
        mention
    }

    fn text(
        &mut self,
        run: &Run,
        program: &str,
        parameters: &[String],
        stdin: Option<&Path>,
    ) -> Result<String, Failure> {
        let mut text = String::from("<TaskFile version=\"1\"><Name>run</Name><SubTask name=\"run\">\n");
        let program = self.variable(program);
        let _ = write!(
            text,
            "<CpuCycles>{}</CpuCycles><Work unit=\"cycles\">{}</Work><Price>{}</Price><File>{program}</File>\n<InputParameters>",
            run.power,
            work(run.price, run.bid).0,
            credits(run.price)
        );
        for parameter in parameters {
            let _ = write!(text, "<Param>{}</Param>", self.variable(parameter));
        }
        text.push_str("</InputParameters>\n<InputFiles>");
        for (name, path) in std::mem::take(&mut self.inputs) {
            let (name, path) = (self.variable(&name), self.variable(&path.display().to_string()));
            let _ = write!(text, "<InputFile as=\"{name}\">{path}</InputFile>");
        }
        text.push_str("</InputFiles>\n<OutputFiles>");
        for output in &run.output {
            let _ = write!(text, "<OutputFile>{}</OutputFile>", self.variable(output));
        }
        text.push_str("</OutputFiles>\n");
        if let Some(stdin) = stdin {
            let _ = writeln!(text, "<StdIn>{}</StdIn>", self.variable(&stdin.display().to_string()));
        }
        if !run.env.is_empty() {
            text.push_str("<Environment>");
            for (name, value) in &run.env {
                let _ = write!(text, "<Var name=\"{}\">{}</Var>", xml_name(name)?, self.variable(value));
            }
            text.push_str("</Environment>\n");
        }
        let memory = self.variable(&run.memory);
        let _ = writeln!(
            text,
            "<Limits><WallTime>{}</WallTime><Memory>{memory}</Memory></Limits>\n<Retry max=\"{}\"/>\n</SubTask></TaskFile>",
            run.wall_time.as_secs().max(1),
            run.retries
        );
        Ok(text)
    }
}

/// The work that the price pays for where a Gc costs as much as the bid: a task file says by its work what is bid.
fn work(price: Money, bid: Money) -> Cycles {
    Rate(bid.0).cycles_for(price).max(Cycles(1))
}

/// The name of a variable, which stands in the file itself.
fn xml_name(name: &str) -> Result<&str, Failure> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let message = || format!("`{name}` is no name of a variable");
    if is_plain { Ok(name) } else { Err(Failure::new("usage", message(), exit::USAGE)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_what_the_price_pays_for_at_the_bid() {
        let check = |price, bid, expected| assert_eq!(work(Money(price), Money(bid)), Cycles(expected));
        check(10_000_000, 1_000_000, 10_000_000_000);
        check(10_000_000, 200_000, 50_000_000_000);
        check(1, 1_000_000, 1_000);
        check(1, u64::MAX, 1);
    }
}
