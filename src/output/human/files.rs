//! Public files for people.

use super::{Align, Colour, Look, Table, clean, short};
use crate::control::FileView;
use proto::Bytes;

/// Public files, one a line.
pub(in crate::output) fn files(files: &[FileView], look: Look) -> String {
    if files.is_empty() {
        return "no public files\n".into();
    }
    let left = Align::Left;
    let mut table = Table::new(&[
        ("name", left),
        ("size", Align::Right),
        ("hash", left),
        ("account", left),
        ("at", left),
    ]);
    for file in files {
        let at = match &file.path {
            Some(path) => format!("written to {}", path.display()),
            None if file.holders.is_empty() => "nobody else at the moment".into(),
            None => file.holders.join(", "),
        };
        let name = file.name.as_deref().unwrap_or("-");
        let account = file.publisher.as_deref().map_or("-", short);
        let cells = [clean(name), Bytes(file.size).to_string(), file.hash.clone(), account.into(), at];
        table.row(cells, Colour::Plain);
    }
    table.render(look.width, look.has_colour)
}
