//! What trades cost under both placement schemes.

use super::Look;
use super::table::{Align, Colour, Table};
use proto::Placement;
use serde::Serialize;
use sim::trade::{Traded, Trades};

/// What `sim market` shows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trading {
    seed: u64,
    cases: Vec<TradeRow>,
}

/// One case; messages are means of a trade, upkeep is messages a minute that one node sends.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TradeRow {
    placement: &'static str,
    nodes: u32,
    markets: u32,
    window: f64,
    messages: f64,
    base_lookup: f64,
    overlay_search: f64,
    market_messages: f64,
    owners_asked: f64,
    base_hops: f64,
    overlay_hops: f64,
    half_log_nodes: f64,
    half_log_markets: f64,
    owners: u32,
    most_markets: u32,
    most_to_mean: f64,
    base_upkeep: f64,
    overlay_upkeep: f64,
    wrong: u32,
}

const COLUMNS: [(&str, Align); 15] = [
    ("scheme", Align::Left),
    ("nodes", Align::Right),
    ("markets", Align::Right),
    ("window", Align::Right),
    ("messages", Align::Right),
    ("base", Align::Right),
    ("overlay", Align::Right),
    ("market", Align::Right),
    ("asked", Align::Right),
    ("base hops", Align::Right),
    ("overlay hops", Align::Right),
    ("owners", Align::Right),
    ("most", Align::Right),
    ("most/mean", Align::Right),
    ("upkeep", Align::Right),
];

impl TradeRow {
    pub(crate) fn of(case: &Trades, traded: &Traded) -> Self {
        Self {
            placement: match case.placement {
                Placement::Single => "single",
                Placement::Processor => "processor",
            },
            nodes: case.nodes,
            markets: case.markets,
            window: f64::from(case.window) / 1_000.0,
            messages: traded.messages(),
            base_lookup: traded.base,
            overlay_search: traded.overlay,
            market_messages: traded.market,
            owners_asked: traded.asked,
            base_hops: traded.base_hops,
            overlay_hops: traded.overlay_hops,
            half_log_nodes: f64::from(case.nodes).log2() / 2.0,
            half_log_markets: f64::from(case.markets).log2() / 2.0,
            owners: traded.owners,
            most_markets: traded.most,
            most_to_mean: traded.most_to_mean,
            base_upkeep: traded.base_upkeep,
            overlay_upkeep: traded.overlay_upkeep,
            wrong: traded.wrong,
        }
    }

    fn cells(&self) -> [String; 15] {
        let number = |value: f64| format!("{value:.2}");
        [
            self.placement.to_owned(),
            self.nodes.to_string(),
            self.markets.to_string(),
            self.window.to_string(),
            number(self.messages),
            number(self.base_lookup),
            number(self.overlay_search),
            number(self.market_messages),
            number(self.owners_asked),
            number(self.base_hops),
            number(self.overlay_hops),
            self.owners.to_string(),
            self.most_markets.to_string(),
            number(self.most_to_mean),
            format!("{:.1} + {:.1}", self.base_upkeep, self.overlay_upkeep),
        ]
    }
}

impl Trading {
    pub(crate) const fn new(seed: u64, cases: Vec<TradeRow>) -> Self {
        Self { seed, cases }
    }

    /// Purchases that ended at the wrong market.
    pub(crate) fn wrong(&self) -> u32 {
        self.cases.iter().fold(0, |sum, case| sum.saturating_add(case.wrong))
    }

    pub(super) fn text(&self, look: Look) -> String {
        let mut table = Table::new(&COLUMNS);
        for case in &self.cases {
            table.row(case.cells(), Colour::Plain);
        }
        table.render(look.width, look.has_colour)
    }

    pub(super) fn csv(&self) -> String {
        let names = COLUMNS.map(|(name, _)| name.replace([' ', '/'], "_"));
        let header = format!("{}\n", names.join(","));
        self.cases.iter().fold(header, |text, case| text + &case.cells().join(",") + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::trade::Spread;

    #[test]
    fn a_case_is_a_line() {
        let (nodes, markets, window, trades, successors, seed) = (1_000, 16, 10, 5, 8, 1);
        let placement = Placement::Processor;
        let case = Trades {
            nodes,
            markets,
            window,
            spread: Spread::Uniform,
            placement,
            trades,
            successors,
            counts_upkeep: true,
            seed,
        };
        let traded =
            Traded { owners: 3, base: 2.5, overlay: 4.0, market: 4.0, wrong: 2, ..Traded::default() };
        let shown = Trading::new(1, vec![TradeRow::of(&case, &traded)]);
        let expected = "\
scheme,nodes,markets,window,messages,base,overlay,market,asked,base_hops,overlay_hops,owners,most,most_mean,upkeep
processor,1000,16,0.01,10.50,2.50,4.00,4.00,0.00,0.00,0.00,3,0,0.00,0.0 + 0.0
";
        assert_eq!((shown.csv().as_str(), shown.wrong()), (expected, 2));
    }
}
