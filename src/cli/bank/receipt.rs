//! `compup2p bank receipt` and `compup2p receipt verify`.

use crate::cli::arguments::{Global, Receipt};
use crate::cli::node::{ANSWER, ask_node};
use crate::cli::{Done, client, exit};
use crate::control::{Failure, PaperView, Reply, Request};
use crate::output::{DealView, Printer, deal_document};
use bank::receipt::Verified;
use jiff::Timestamp;
use proto::message::bank::{DealReceipt, Ending, Shares};
use proto::wire::Wire as _;
use proto::{Money, PublicKey, Signed};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// The largest file that is read as a receipt, in bytes: three commands of the largest size, in hexadecimal digits.
const MAX_FILE: u64 = 8 << 20;
/// Members of the file that are not compared with the paper: the paper itself, and what was said of it.
const NOT_COMPARED: [&str; 4] = ["schema", "paper", "proven", "unproven"];

/// Shows the receipt of a contract, and writes it to a file if there is one.
pub(in crate::cli) fn receipt(receipt: &Receipt, global: &Global, printer: Printer) -> Done {
    let contract = format!("{:#}", receipt.contract);
    let paper = match ask_node(global, &Request::Receipt { contract }, ANSWER)? {
        (_, Reply::Paper(paper)) => *paper,
        (home, _) => return Err(client::unexpected(&home).into()),
    };
    let PaperView { paper, bank } = paper;
    let signed =
        read_paper(&paper).ok_or_else(|| Failure::new("bad_reply", "the bank sent no receipt", 4))?;
    let view = checked(&signed, PublicKey::from_hex(&bank), "the receipt")?;
    if let Some(path) = &receipt.output {
        let written = std::fs::write(path, deal_document(&view));
        written.map_err(|error| Failure::disk("write", path, &error))?;
    }
    printer.deal(&view)?;
    Ok(exit::SUCCESS)
}

/// Checks a receipt in a file.
pub(in crate::cli) fn verify(file: &Path, bank: Option<PublicKey>, printer: Printer) -> Done {
    let document = read_document(file)?;
    let name = file.display().to_string();
    let paper = document.get("paper").and_then(Value::as_str).and_then(read_paper);
    let signed = paper.ok_or_else(|| not_a_receipt(&name))?;
    let view = checked(&signed, bank, &name)?;
    says_the_same(&document, &view, &name)?;
    printer.deal(&view)?;
    Ok(exit::SUCCESS)
}

/// The receipt for people, if it holds.
fn checked(signed: &Signed<DealReceipt>, bank: Option<PublicKey>, name: &str) -> Result<DealView, Failure> {
    let verified = bank::receipt::verify(signed, bank);
    let verified = verified.map_err(|refusal| wrong(name, &refusal.message))?;
    Ok(view(signed, verified))
}

fn wrong(name: &str, what: &str) -> Failure {
    Failure::new("receipt_wrong", format!("{name} does not hold: {what}"), exit::FAILED)
        .hint("somebody has changed it, or it was made by a program that errs")
}

fn not_a_receipt(name: &str) -> Failure {
    Failure::new("not_a_receipt", format!("{name} is no receipt of a contract"), exit::USAGE)
        .hint("`compup2p bank receipt CONTRACT -o FILE` makes one")
}

fn read_document(file: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| Failure::no_file(file, &error))?;
    let read = opened.take(MAX_FILE).read_to_string(&mut text);
    read.map_err(|error| Failure::no_file(file, &error))?;
    let document: Option<Value> = serde_json::from_str(&text).ok();
    document.ok_or_else(|| not_a_receipt(&file.display().to_string()))
}

fn read_paper(text: &str) -> Option<Signed<DealReceipt>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        proto::id::unhex::<1>(pair)
    });
    let bytes: Vec<u8> = pairs.map(|byte| byte.map(|[byte]| byte)).collect::<Option<_>>()?;
    Signed::decode(&bytes).ok()
}

/// What people read in the file has to be what the paper in it says.
fn says_the_same(document: &Value, view: &DealView, name: &str) -> Result<(), Failure> {
    let right: Option<Value> = serde_json::from_str(&deal_document(view)).ok();
    let members = document.as_object().ok_or_else(|| not_a_receipt(name))?;
    for (member, said) in members.iter().filter(|(member, _)| !NOT_COMPARED.contains(&member.as_str())) {
        let is = right.as_ref().and_then(|right| right.get(member));
        if is.is_some_and(|is| is != said) {
            let is = is.map(ToString::to_string).unwrap_or_default();
            return Err(wrong(
                name,
                &format!("`{member}` is {said} in the file and {is} in the signed paper"),
            ));
        }
    }
    Ok(())
}

fn view(signed: &Signed<DealReceipt>, verified: Verified) -> DealView {
    let DealReceipt { bank, ending, sequence, time, chain, .. } = &signed.body;
    let Ending { hold, how, buyer, seller, owner, arbiter, shares } = ending;
    let Shares { buyer_held, seller_held, .. } = shares;
    let micros = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    let text = |money: Money| money.to_string();
    DealView {
        contract: format!("{hold:#}"),
        how: how.name().into(),
        record: *sequence,
        time: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        chain: format!("{chain:#}"),
        bank: bank.to_hex(),
        buyer: buyer.to_hex(),
        seller: seller.to_hex(),
        owner: owner.map(|owner| owner.to_hex()),
        arbiter: arbiter.map(|arbiter| arbiter.to_hex()),
        held_of_buyer: text(*buyer_held),
        held_of_seller: text(*seller_held),
        to_seller: text(shares.seller),
        to_owner: text(shares.owner),
        to_buyer: text(shares.buyer),
        to_arbiter: text(shares.arbiter),
        to_pool: text(shares.pool),
        proven: verified.proven,
        unproven: verified.unproven,
        paper: proto::id::hex(&signed.encode()),
    }
}
