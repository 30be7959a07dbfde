//! The keys about the machine and its connection: what is shared, where it is kept, and who is served.

use super::super::{quantity as q, text};
use super::{Key, Policy, Section, key};

pub(super) static NODE: Section<Policy> =
    Section { name: "node", keys: &[key!("name", q::node_name, text::maybe_text, node_name)], reserved: &[] };

pub(super) static SHARE: Section<Policy> = Section {
    name: "share",
    keys: &[
        key!("compute", q::flag, text::plain, share_compute),
        key!("storage", q::flag, text::plain, share_storage),
        key!("native", q::flag, text::plain, share_native),
        key!("files", q::files, text::texts, share_files),
    ],
    reserved: &[],
};

pub(super) static DISK: Section<Policy> = Section {
    name: "disk",
    keys: &[
        key!("dir", q::directory, text::maybe_text, disk.dir),
        key!("max_size", q::size, text::size, disk_max_size),
        key!("max_pct", q::share, text::plain, disk.max_pct),
        key!("min_free", q::size_or_none, text::size, disk.min_free),
        key!("min_write_interval", q::wait, text::span, disk.min_write_interval),
    ],
    reserved: &[],
};

pub(super) static NETWORK: Section<Policy> = Section {
    name: "network",
    keys: &[
        key!("listen", q::address, text::text, listen),
        key!("max_up", q::flow, text::flow, traffic.max_up),
        key!("max_down", q::flow, text::flow, traffic.max_down),
        key!("max_transfers", q::transfers, text::plain, traffic.max_transfers),
        key!("volume", q::volume, text::volume, traffic.volume),
        key!("unmetered_only", q::flag, text::plain, traffic.unmetered_only),
        key!("relay", q::flag, text::plain, traffic.relay),
        key!("code_servers", q::servers, text::texts, code_servers),
    ],
    reserved: &[],
};

pub(super) static ACCESS: Section<Policy> = Section {
    name: "access",
    keys: &[
        key!("deny_nodes", q::nodes, text::nodes, deny_nodes),
        key!("allow_nodes", q::nodes, text::nodes, allow_nodes),
        key!("deny_ips", q::subnets, text::shown, deny_ips),
        Key {
            name: "min_buyer_reputation",
            set: |_, item| q::no_reputation(item),
            show: |_| Some("0.0".to_owned()),
        },
        key!("deny_programs", q::hashes, text::hashes, deny_programs),
    ],
    reserved: &[],
};

pub(super) static GPU: Section<Policy> = Section {
    name: "gpu",
    keys: &[key!("when_active", q::some_flag, text::maybe, gpu_when_active)],
    reserved: &[],
};
