//! `compup2p task quote`: what a task would cost, without buying.

use super::TaskText;
use crate::cli::arguments::{Global, TaskFile};
use crate::cli::market::SURVEY;
use crate::cli::node::ask_node;
use crate::cli::{Done, client, exit};
use crate::control::{Quote, QuoteView, Reply, Request};
use crate::output::Printer;

pub(super) fn run(file: &TaskFile, global: &Global, printer: Printer) -> Done {
    let (text, validated) = TaskText::read(file)?;
    for warning in &validated.warnings {
        printer.warning(&warning.to_string());
    }
    let TaskText { text, file, set, lines, .. } = text;
    match ask_node(global, &Request::Quote(Quote { text, file, set, lines }), SURVEY)? {
        (_, Reply::Quote(quote)) => {
            printer.quote(&quote)?;
            Ok(of_quote(&quote))
        }
        (home, _) => Err(client::unexpected(&home).into()),
    }
}

/// The exit code: whom nobody fits decides before money; where owners were not reached, nobody can be sure of that.
fn of_quote(quote: &QuoteView) -> u8 {
    let fits = quote.parts.iter().all(|part| part.sellers > 0);
    match (fits, quote.unreached, quote.is_affordable) {
        (true, _, true) => exit::SUCCESS,
        (true, _, false) => exit::NO_MONEY,
        (false, 0, _) => exit::NOT_PLACED,
        (false, ..) => exit::UNREACHABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn check(sellers: u32, unreached: usize, is_affordable: bool, expected: u8) {
        let mut quote = QuoteView { unreached, is_affordable, ..sample::quote() };
        quote.parts[0].sellers = sellers;
        assert_eq!(of_quote(&quote), expected, "{sellers} {unreached} {is_affordable}");
    }

    #[test]
    fn a_quote_has_its_exit_code() {
        check(1, 0, true, 0);
        check(1, 3, true, 0);
        check(1, 0, false, 6);
        check(0, 0, true, 3);
        check(0, 0, false, 3);
        check(0, 3, true, 4);
    }
}
