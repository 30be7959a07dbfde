//! The bank's messages and papers on the wire.

mod deal;
mod transfer;

use super::field::{ip_bytes, ip_from};
use super::{Field, Wire, WireError, v1, wire_oneof, wire_struct};
use crate::id::{CommandId, RequestId};
use crate::key::PublicKey;
use crate::message::bank::{
    Balance, BalanceQuery, BalanceReply, BankCommand, BankMessage, BankOutcome, BankReply, BankRequest,
    Departed, Enter, Entered, HoldReceipt, Order, PlaceHold, ReleaseHold, ReleasedReceipt, Settle,
    SettledReceipt,
};
use std::net::SocketAddr;

wire_struct!(Entered => Entered { request, you, peers, rules });
wire_struct!(Departed => Departed {});
wire_struct!(PlaceHold => PlaceHold { seller, ticket, amount, expires_in });
wire_struct!(ReleaseHold => ReleaseHold { hold, declined, report });
wire_struct!(Settle => Settle { hold, ticket, report, verdict });
wire_struct!(HoldReceipt => HoldReceipt { hold, bank, buyer, seller, ticket, amount, expires });
wire_struct!(SettledReceipt => SettledReceipt { hold, seller_paid, owner_paid, returned });
wire_struct!(ReleasedReceipt => ReleasedReceipt { hold, returned });
wire_struct!(Balance => Balance { account, available, held });
wire_struct!(BankRequest => BankRequest { command });
wire_struct!(BalanceQuery => BalanceQuery { request });
wire_struct!(BalanceReply => BalanceReply { request, balance, standing });

wire_oneof!(BankMessage => BankMessage . body in bank_message::Body {
    Enter = Enter, Entered = Entered, Departed = Departed, Request = Request, Reply = Reply,
    BalanceQuery = BalanceQuery, BalanceReply = BalanceReply, Refused = Refused,
    StatementQuery = StatementQuery, Statement = Statement, ReceiptQuery = ReceiptQuery, Receipt = Receipt,
    Claimed = Claimed, Appointed = Appointed, Ended = Ended,
});

impl Wire for Enter {
    type Pb = v1::Enter;

    fn to_pb(&self) -> v1::Enter {
        let ip = ip_bytes(self.listen.ip());
        v1::Enter {
            request: self.request.to_field(),
            port: self.listen.port().into(),
            ip,
            slot: self.slot.map(u32::from),
            is_member: self.is_member,
        }
    }

    fn from_pb(pb: v1::Enter) -> Result<Self, WireError> {
        let ip = ip_from(&pb.ip).map_err(|e| e.inside("ip"))?;
        let port = u16::from_field(pb.port).map_err(|e| e.inside("port"))?;
        let slot = pb.slot.map(u16::from_field).transpose().map_err(|e| e.inside("slot"))?;
        Ok(Self {
            request: RequestId(pb.request),
            listen: SocketAddr::new(ip, port),
            slot,
            is_member: pb.is_member,
        })
    }
}

impl Wire for BankCommand {
    type Pb = v1::BankCommand;

    fn to_pb(&self) -> v1::BankCommand {
        use v1::bank_command::Order as Form;
        let order = match &self.order {
            Order::OpenAccount(order) => Form::Open(order.to_pb()),
            Order::PlaceHold(order) => Form::Hold(order.to_pb()),
            Order::ReleaseHold(order) => Form::Release(order.to_pb()),
            Order::Settle(order) => Form::Settle(order.to_pb()),
            Order::Transfer(order) => Form::Transfer(order.to_pb()),
            Order::Grant(order) => Form::Grant(order.to_pb()),
            Order::Freeze(order) => Form::Freeze(order.to_pb()),
            Order::AcceptHold(order) => Form::Accept(order.to_pb()),
            Order::Claim(order) => Form::Claim(order.to_pb()),
            Order::Dispute(order) => Form::Dispute(order.to_pb()),
            Order::Judge(order) => Form::Judge(order.to_pb()),
        };
        v1::BankCommand { id: self.id.to_field(), bank: self.bank.to_field(), order: Some(order) }
    }

    fn from_pb(pb: v1::BankCommand) -> Result<Self, WireError> {
        use v1::bank_command::Order as Form;
        let order = match pb.order.ok_or(WireError::expected("is missing").inside("order"))? {
            Form::Open(order) => Wire::from_pb(order).map(Order::OpenAccount),
            Form::Hold(order) => Wire::from_pb(order).map(Order::PlaceHold),
            Form::Release(order) => Wire::from_pb(order).map(Order::ReleaseHold),
            Form::Settle(order) => Wire::from_pb(order).map(Order::Settle),
            Form::Transfer(order) => Wire::from_pb(order).map(Order::Transfer),
            Form::Grant(order) => Wire::from_pb(order).map(Order::Grant),
            Form::Freeze(order) => Wire::from_pb(order).map(Order::Freeze),
            Form::Accept(order) => Wire::from_pb(order).map(Order::AcceptHold),
            Form::Claim(order) => Wire::from_pb(order).map(Order::Claim),
            Form::Dispute(order) => Wire::from_pb(order).map(Order::Dispute),
            Form::Judge(order) => Wire::from_pb(order).map(Order::Judge),
        };
        Ok(Self {
            id: CommandId::from_field(pb.id).map_err(|e| e.inside("id"))?,
            bank: PublicKey::from_field(pb.bank).map_err(|e| e.inside("bank"))?,
            order: order.map_err(|e| e.inside("order"))?,
        })
    }
}

impl Wire for BankReply {
    type Pb = v1::BankReply;

    fn to_pb(&self) -> v1::BankReply {
        use v1::bank_reply::Outcome as Form;
        let outcome = match &self.outcome {
            BankOutcome::Opened(balance) => Form::Opened(balance.to_pb()),
            BankOutcome::Held(receipt) => Form::Held(receipt.to_pb()),
            BankOutcome::Released(receipt) => Form::Released(receipt.to_pb()),
            BankOutcome::Settled(receipt) => Form::Settled(receipt.to_pb()),
            BankOutcome::Accepted(receipt) => Form::Accepted(receipt.to_pb()),
            BankOutcome::Claimed(receipt) => Form::Claimed(receipt.to_pb()),
            BankOutcome::Disputed(receipt) => Form::Disputed(receipt.to_pb()),
            BankOutcome::Recorded(receipt) => Form::Recorded(receipt.to_pb()),
            BankOutcome::Refused(refusal) => Form::Refused(refusal.to_pb()),
        };
        v1::BankReply { command: self.command.to_field(), outcome: Some(outcome) }
    }

    fn from_pb(pb: v1::BankReply) -> Result<Self, WireError> {
        use v1::bank_reply::Outcome as Form;
        let outcome = match pb.outcome.ok_or(WireError::expected("is missing").inside("outcome"))? {
            Form::Opened(balance) => Wire::from_pb(balance).map(BankOutcome::Opened),
            Form::Held(receipt) => Wire::from_pb(receipt).map(BankOutcome::Held),
            Form::Released(receipt) => Wire::from_pb(receipt).map(BankOutcome::Released),
            Form::Settled(receipt) => Wire::from_pb(receipt).map(BankOutcome::Settled),
            Form::Accepted(receipt) => Wire::from_pb(receipt).map(BankOutcome::Accepted),
            Form::Claimed(receipt) => Wire::from_pb(receipt).map(BankOutcome::Claimed),
            Form::Disputed(receipt) => Wire::from_pb(receipt).map(BankOutcome::Disputed),
            Form::Recorded(receipt) => Wire::from_pb(receipt).map(BankOutcome::Recorded),
            Form::Refused(refusal) => Wire::from_pb(refusal).map(BankOutcome::Refused),
        };
        let command = CommandId::from_field(pb.command).map_err(|e| e.inside("command"))?;
        Ok(Self { command, outcome: outcome.map_err(|e| e.inside("outcome"))? })
    }
}
