//! `compup2p bank export` and `bank import`.

use super::arguments::{Exchange, Global};
use super::{Done, exit, node};
use crate::control::Failure;
use crate::node::{Exchanged, Place, export_to, import_from};
use crate::output::{Bar, ExchangedView, Printer};
use std::path::Path;

/// Writes a journal into a file.
pub(super) fn export(arguments: &Exchange, global: &Global, printer: Printer) -> Done {
    run(arguments, global, printer, "export", export_to)
}

/// Takes a journal in from a file.
pub(super) fn import(arguments: &Exchange, global: &Global, printer: Printer) -> Done {
    run(arguments, global, printer, "import", import_from)
}

/// What takes a journal from one to the other.
type Carry = fn(&Place, &Path, &dyn Fn(u64)) -> Result<Exchanged, Failure>;

fn run(arguments: &Exchange, global: &Global, printer: Printer, what: &str, carry: Carry) -> Done {
    let home = node::home(global)?.join("bank");
    let place = Place::of(&home, arguments.store.as_ref());
    let bar = Bar::new(printer, 0, "records");
    let carried = carry(&place, &arguments.file, &|records| bar.set_of(records, records));
    bar.end();
    let Exchanged { bank, records, head, bytes } = carried?;
    let (bank, head, file) = (format!("{bank:#}"), format!("{head:#}"), arguments.file.display().to_string());
    printer.exchanged(what, &ExchangedView { bank, records, head, file, bytes })?;
    Ok(exit::SUCCESS)
}
