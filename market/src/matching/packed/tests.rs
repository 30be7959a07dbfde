//! What is packed comes out as it went in.

use super::*;
use proptest::prelude::*;
use proto::message::market::Platform;

const BANK: PublicKey = PublicKey([9; 32]);

fn key() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(PublicKey)
}

fn signature() -> impl Strategy<Value = Signature> {
    (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(one, other)| {
        let mut all = [0; 64];
        all[..32].copy_from_slice(&one);
        all[32..].copy_from_slice(&other);
        Signature(all)
    })
}

fn bundle() -> impl Strategy<Value = Bundle> {
    (any::<u32>(), any::<u64>(), any::<u64>()).prop_map(|(cores, memory, disk)| Bundle {
        cores,
        memory: Bytes(memory),
        disk: Bytes(disk),
    })
}

/// A standing of `seller`, or of somebody else, signed by the bank, or by somebody else.
fn standing(seller: PublicKey) -> impl Strategy<Value = Signed<Standing>> {
    let account = prop_oneof![Just(seller), key()];
    let signer = prop_oneof![Just(BANK), key()];
    (account, signer, signature(), any::<[u64; 3]>()).prop_map(
        |(account, signer, signature, [kept, broken, expires])| Signed {
            body: Standing { account, kept, broken, expires: Time(expires) },
            signer,
            signature,
        },
    )
}

fn listing() -> impl Strategy<Value = Signed<Listing>> {
    let who = key().prop_flat_map(|key| (Just(key), proptest::option::of(standing(key))));
    let place = (any::<IpAddr>(), any::<u16>(), any::<u16>());
    let market = (prop::sample::select(Commodity::ALL.to_vec()), any::<u32>());
    let whole = proptest::option::of(bundle());
    (who, place, market, bundle(), whole, signature(), any::<[u64; 5]>()).prop_map(
        |((key, standing), (ip, port, slot), (commodity, class), offered, whole, signature, numbers)| {
            let [version, expires, per_core, ask, longest] = numbers;
            let Bundle { cores, memory, disk } = offered;
            let body = Listing {
                seller: Peer::new(SocketAddr::new(ip, port), slot, key),
                version,
                market: Market { commodity, class },
                cores,
                per_core: Capacity(per_core),
                ask: Rate(ask),
                memory,
                disk,
                platform: Platform::default(),
                longest: Span(longest),
                standing,
                whole: whole.unwrap_or(offered),
                expires: Time(expires),
            };
            Signed { body, signer: key, signature }
        },
    )
}

proptest! {
    #[test]
    fn a_listing_comes_out_as_it_went_in(
        listing in listing(),
        word in any::<u64>(),
        handed in any::<bool>(),
        bank in prop::sample::select(vec![None, Some(BANK)]),
    ) {
        let context = Context { bank };
        let paper = pack(&listing, word, handed, context, &mut vec![7; 9]);
        let unpacked = unpack(&paper, context).unwrap();
        prop_assert_eq!((unpacked.platform, unpacked.is_handed), (word, handed));
        prop_assert_eq!((super::key(&paper), commodity(&paper)), (Some(listing.signer), Some(listing.body.market.commodity)));
        prop_assert_eq!(unpacked.listing, listing);
        for length in 0..paper.len() {
            prop_assert!(unpack(&paper[..length], context).is_none(), "cut off at {}", length);
        }
    }
}
