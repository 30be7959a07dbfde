//! Commands about markets.

use super::arguments::{Global, MarketCommand, PriceCommand};
use super::node::ask_node;
use super::{Done, client, exit};
use crate::control::{Reply, Request};
use crate::output::Printer;
use std::time::Duration;

/// How long a node may take to ask the owners of all markets.
pub(super) const SURVEY: Duration = Duration::from_secs(90);

pub(super) fn run(command: MarketCommand, global: &Global, printer: Printer) -> Done {
    let request = match command {
        MarketCommand::List => Request::Markets,
        MarketCommand::Show { market } => Request::Market { market },
        MarketCommand::Sellers => Request::Sellers,
        MarketCommand::Price { command: PriceCommand::Suggest } => Request::Price,
    };
    match ask_node(global, &request, SURVEY)? {
        (_, Reply::Markets(markets)) => printer.markets(&markets)?,
        (_, Reply::Market(market)) => printer.market(&market)?,
        (_, Reply::Sellers(sellers)) => printer.sellers(&sellers)?,
        (_, Reply::Price(price)) => printer.price(&price)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}
