use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn open(place: &tempfile::TempDir, quota: u64) -> Arc<Store> {
    Arc::new(Store::open(place.path(), Bytes(quota)).unwrap())
}

fn blob(bytes: &[u8]) -> Blob {
    Blob { hash: Hash::of(bytes), size: Bytes(bytes.len() as u64) }
}

/// A content of 100 bytes.
fn content(digit: u8) -> Vec<u8> {
    vec![digit; 100]
}

fn files_below(place: &Path) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(files_below(&entry.path()));
        } else {
            names.push(entry.path().to_string_lossy().into_owned());
        }
    }
    names
}

/// Puts `puts` in order into a store of 300 bytes, uses 1 again, puts 4; expects `left` there.
async fn check_eviction(pinned: &[u8], left: &[u8], expected: Option<&str>) {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 300);
    for digit in 1..=3 {
        store.put_bytes(content(digit)).await.unwrap();
    }
    for digit in pinned {
        store.pin(Hash::of(&content(*digit)));
    }
    assert!(store.has(&Hash::of(&content(1))), "which makes it the last one used");
    let put = store.put_bytes(content(4)).await.map_err(|error| error.to_string());
    assert_eq!(put.err().as_deref(), expected);
    let found: Vec<_> = (1..=4).filter(|digit| store.has(&Hash::of(&content(*digit)))).collect();
    assert_eq!(found, left);
    assert_eq!(files_below(place.path()).len(), left.len());
    assert_eq!(store.used(), Bytes(100 * left.len() as u64));
}

#[tokio::test]
async fn the_longest_unused_makes_room_unless_it_is_pinned() {
    check_eviction(&[], &[1, 3, 4], None).await;
    check_eviction(&[2], &[1, 2, 4], None).await;
    check_eviction(&[2, 3], &[2, 3, 4], None).await;
    let full = "no room for 100 bytes: 300 of 300 are used by contents that are needed; \
                raise the store's quota or wait until running work ends";
    check_eviction(&[1, 2, 3], &[1, 2, 3], Some(full)).await;
}

#[tokio::test]
async fn an_unpinned_content_can_go() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 100);
    let first = store.put_bytes(content(1)).await.unwrap();
    store.pin(first.hash);
    store.pin(first.hash);
    store.unpin(&first.hash);
    assert!(store.put_bytes(content(2)).await.is_err());
    store.unpin(&first.hash);
    store.put_bytes(content(2)).await.unwrap();
    assert!(!store.has(&first.hash));
}

#[tokio::test]
async fn what_was_put_is_read_and_survives_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("source");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[2]).collect();
    fs::write(&file, &bytes).unwrap();
    let inside = tempfile::tempdir().unwrap();
    let store = open(&inside, 10 << 20);
    let stored = store.put_file(file).await.unwrap();
    assert_eq!(stored, blob(&bytes));
    assert_eq!(store.put_bytes(bytes.clone()).await.unwrap(), stored, "the second is the first");
    for store in [store, open(&inside, 10 << 20)] {
        assert_eq!(store.used(), stored.size);
        assert_eq!(store.size(&stored.hash), Some(stored.size));
        assert_eq!(store.read(stored.hash, 2_999_990, 100).await.unwrap(), &bytes[2_999_990..]);
        let path = store.path(&stored.hash).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o444);
        assert_eq!(fs::read(path).unwrap(), bytes);
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_taken_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let inside = tempfile::tempdir().unwrap();
    let store = open(&inside, 10 << 20);
    for (path, expected) in [
        (place.path().to_owned(), "it is not a regular file"),
        (place.path().join("none"), "No such file or directory (os error 2)"),
    ] {
        assert_eq!(store.put_file(path).await.unwrap_err().to_string(), expected);
        assert_eq!(store.used(), proto::Bytes(0));
    }
}

#[tokio::test]
async fn a_file_that_somebody_removed_is_absent() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 100);
    let blob = store.put_bytes(content(1)).await.unwrap();
    fs::remove_file(store.path(&blob.hash).unwrap()).unwrap();
    assert!(matches!(store.read(blob.hash, 0, 1).await, Err(StoreError::Absent { .. })));
    assert_eq!((store.has(&blob.hash), store.used()), (false, Bytes(0)));
}

const MIB: usize = 1 << 20;
const QUOTA: u64 = 64 << 20;

fn outline(bytes: &[u8]) -> Outline {
    let mut outliner = Outliner::new();
    outliner.update(bytes);
    outliner.finish()
}

/// Two whole pieces and 40 bytes.
fn three_pieces() -> Vec<u8> {
    (0..2 * MIB + 40).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[2]).collect()
}

#[tokio::test]
async fn a_content_that_was_cut_goes_on_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let bytes = three_pieces();
    {
        let arrival = open(&place, QUOTA).arrival(outline(&bytes)).await.unwrap();
        arrival.write(2, bytes[2 * MIB..].to_vec()).await.unwrap();
    }
    let store = open(&place, QUOTA);
    assert!(store.used() <= Bytes(64 << 10), "the file has holes: {}", store.used());
    let arrival = store.arrival(outline(&bytes)).await.unwrap();
    assert_eq!((arrival.have().missing().collect::<Vec<_>>(), arrival.is_complete()), (vec![0, 1], false));
    assert!(matches!(store.arrival(outline(&bytes)).await, Err(StoreError::Busy { .. })));
    for piece in [1, 0] {
        let start = piece * MIB;
        arrival.write(u32::try_from(piece).unwrap(), bytes[start..start + MIB].to_vec()).await.unwrap();
    }
    assert!(arrival.is_complete() && !store.has(&blob(&bytes).hash));
    arrival.finish(Access::Everybody).await.unwrap();
    assert_eq!(fs::read(store.path(&blob(&bytes).hash).unwrap()).unwrap(), bytes);
    assert_eq!((store.used(), files_below(place.path()).len()), (Bytes(bytes.len() as u64), 1));
}

#[tokio::test]
async fn wrong_pieces_are_refused_one_by_one_and_never_written() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, QUOTA);
    let bytes = three_pieces();
    let arrival = store.arrival(outline(&bytes)).await.unwrap();
    let mut wrong = bytes[..MIB].to_vec();
    wrong[7] ^= 1;
    let pieces = [(0, &wrong[..]), (1, &bytes[..MIB]), (0, &bytes[..MIB - 1]), (2, &[]), (3, &bytes[..40])];
    for (piece, bytes) in pieces {
        let written = arrival.write(piece, bytes.to_vec()).await;
        assert!(matches!(written, Err(StoreError::WrongContent { .. })), "{piece}: {written:?}");
    }
    assert_eq!((arrival.have().count(), store.used()), (0, Bytes(0)));
    assert!(matches!(arrival.finish(Access::Everybody).await, Err(StoreError::WrongContent { .. })));
    arrival.write(0, bytes[..MIB].to_vec()).await.unwrap();
    arrival.write(0, bytes[..MIB].to_vec()).await.unwrap();
    assert_eq!((arrival.have().count(), store.used()), (1, Bytes(MIB as u64)));
}

#[tokio::test]
async fn a_spoilt_part_costs_only_the_pieces_that_are_spoilt() {
    let place = tempfile::tempdir().unwrap();
    let bytes = three_pieces();
    let path = place.path().join("partial").join(full_name(&blob(&bytes).hash));
    drop(open(&place, QUOTA));
    let mut spoilt = bytes.clone();
    spoilt[MIB + 3] ^= 1;
    spoilt.extend([0; 99]);
    fs::write(&path, &spoilt).unwrap();
    let store = open(&place, QUOTA);
    let arrival = store.arrival(outline(&bytes)).await.unwrap();
    assert_eq!(arrival.have().missing().collect::<Vec<_>>(), [1]);
    arrival.write(1, bytes[MIB..2 * MIB].to_vec()).await.unwrap();
    arrival.finish(Access::Everybody).await.unwrap();
    assert_eq!(fs::read(store.path(&blob(&bytes).hash).unwrap()).unwrap(), bytes);
}

#[tokio::test]
async fn an_abandoned_part_makes_room_before_any_whole_content() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 200);
    let kept = store.put_bytes(content(1)).await.unwrap();
    let arrival = store.arrival(outline(&content(2))).await.unwrap();
    arrival.write(0, content(2)).await.unwrap();
    assert!(store.put_bytes(vec![3; 99]).await.is_ok(), "the whole content goes while the part is written");
    assert!(!store.has(&kept.hash));
    drop(arrival);
    store.put_bytes(vec![4; 99]).await.unwrap();
    assert_eq!(store.used(), Bytes(198));
}

#[tokio::test]
async fn a_claim_of_size_removes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 200);
    let kept = store.put_bytes(content(1)).await.unwrap();
    let claim = Blob { hash: Hash([9; 32]), size: Bytes(200) };
    let outline = |blob: Blob| Outline::of(blob, &[]);
    drop(store.arrival(outline(claim).unwrap()).await.unwrap());
    assert!(store.has(&kept.hash));
    let beyond = outline(Blob { size: Bytes(201), ..claim }).unwrap();
    assert!(matches!(store.arrival(beyond).await, Err(StoreError::Full { .. })));
    assert_eq!(outline(Blob { size: Bytes(MAX_BLOB + 1), ..claim }), None);
    assert_eq!(files_below(place.path()).len(), 1);
}

#[tokio::test]
async fn nothing_is_a_content_too() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 200);
    let arrival = store.arrival(outline(&[])).await.unwrap();
    arrival.finish(Access::Everybody).await.unwrap();
    assert_eq!(store.read(blob(&[]).hash, 0, 10).await.unwrap(), Vec::<u8>::new());
}

#[tokio::test]
async fn a_store_beyond_its_new_quota_shrinks() {
    let place = tempfile::tempdir().unwrap();
    for digit in 1..=3 {
        open(&place, 300).put_bytes(content(digit)).await.unwrap();
    }
    let store = open(&place, 150);
    assert_eq!((store.used(), files_below(place.path()).len()), (Bytes(100), 1));
}

/// Who of `keys` is shown a content.
fn shown(store: &Store, hash: &Hash, keys: &[u8]) -> Vec<u8> {
    let is_shown = |key: &&u8| store.is_shown(hash, PublicKey([**key; 32]), None);
    keys.iter().filter(is_shown).copied().collect()
}

#[tokio::test]
async fn what_is_kept_back_is_shown_only_to_whom_it_is_given() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 1_000);
    let kept = store.withhold_bytes(content(1)).await.unwrap();
    let open_to_all = store.put_bytes(content(2)).await.unwrap();
    assert_eq!(shown(&store, &kept.hash, &[1, 2]), Vec::<u8>::new());
    store.show(&kept.hash, PublicKey([2; 32]));
    assert_eq!(shown(&store, &kept.hash, &[1, 2]), [2]);
    assert_eq!(shown(&store, &open_to_all.hash, &[1, 2]), [1, 2]);
    // What is not here is shown to nobody, and what is given of it is not remembered.
    let absent = Hash([9; 32]);
    store.show(&absent, PublicKey([1; 32]));
    assert_eq!(shown(&store, &absent, &[1]), Vec::<u8>::new());
    assert_eq!(store.read(kept.hash, 0, 100).await.unwrap(), content(1));
}

#[tokio::test]
async fn several_contracts_share_a_content_and_each_buyer_signs_for_itself() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 1_000);
    let first = store.withhold_bytes(content(1)).await.unwrap();
    store.show(&first.hash, PublicKey([1; 32]));
    // A second contract leaves the same: its buyer has not signed yet.
    assert_eq!(store.withhold_bytes(content(1)).await.unwrap(), first);
    assert_eq!(shown(&store, &first.hash, &[1, 2]), [1]);
}

#[tokio::test]
async fn what_was_shown_before_stays_so_and_what_comes_from_elsewhere_is_kept_back_no_more() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 1_000);
    let blob = store.put_bytes(content(1)).await.unwrap();
    store.withhold_bytes(content(1)).await.unwrap();
    assert_eq!(shown(&store, &blob.hash, &[1]), [1]);
    let other = store.withhold_bytes(content(2)).await.unwrap();
    store.put_bytes(content(2)).await.unwrap();
    assert_eq!(shown(&store, &other.hash, &[1]), [1]);
    let mode =
        |blob: &Blob| fs::metadata(store.path(&blob.hash).unwrap()).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&blob), mode(&other)), (0o444, 0o444));
}

#[tokio::test]
async fn what_is_kept_back_is_kept_back_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let blob = {
        let store = open(&place, 1_000);
        let blob = store.withhold_bytes(content(1)).await.unwrap();
        store.show(&blob.hash, PublicKey([1; 32]));
        store.put_bytes(content(2)).await.unwrap();
        blob
    };
    let store = open(&place, 1_000);
    assert_eq!(shown(&store, &blob.hash, &[1]), Vec::<u8>::new());
    assert_eq!(shown(&store, &Hash::of(&content(2)), &[1]), [1]);
    store.show(&blob.hash, PublicKey([1; 32]));
    assert_eq!(shown(&store, &blob.hash, &[1, 2]), [1]);
}

#[tokio::test]
async fn there_is_a_bound_on_whom_one_content_is_shown_to() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 1_000);
    let blob = store.withhold_bytes(content(1)).await.unwrap();
    let key = |number: u16| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        PublicKey(bytes)
    };
    (0..=1_024).for_each(|number| store.show(&blob.hash, key(number)));
    assert!(!store.is_shown(&blob.hash, key(0), None) && store.is_shown(&blob.hash, key(1), None));
    assert!(store.is_shown(&blob.hash, key(1_024), None));
}

#[tokio::test]
async fn what_was_fetched_for_a_contract_is_shown_to_its_owner_and_under_its_pass() {
    let place = tempfile::tempdir().unwrap();
    let (owner, other) = (PublicKey([1; 32]), PublicKey([2; 32]));
    let passed = |key: PublicKey| Access::Passed([key].into());
    let hash = {
        let store = open(&place, 1_000);
        let arrival = store.arrival(outline(&content(1))).await.unwrap();
        arrival.write(0, content(1)).await.unwrap();
        arrival.finish(passed(owner)).await.unwrap();
        let hash = blob(&content(1)).hash;
        assert_eq!(shown(&store, &hash, &[1, 2]), [1]);
        assert!(store.is_shown(&hash, other, Some(owner)) && !store.is_shown(&hash, other, Some(other)));
        // The other one has it fetched for a contract of its own.
        store.widen(&hash, &passed(other)).unwrap();
        assert_eq!(shown(&store, &hash, &[1, 2, 3]), [1, 2]);
        let path = store.path(&hash).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o440);
        hash
    };
    let store = open(&place, 1_000);
    assert_eq!(shown(&store, &hash, &[1, 2]), Vec::<u8>::new());
    store.widen(&hash, &passed(owner)).unwrap();
    assert_eq!(shown(&store, &hash, &[1, 2]), [1]);
    store.widen(&hash, &Access::Everybody).unwrap();
    assert_eq!(shown(&store, &hash, &[1, 2]), [1, 2]);
}

#[tokio::test]
async fn what_is_kept_back_is_shown_to_nobody_because_somebody_names_it() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 1_000);
    let kept = store.withhold_bytes(content(1)).await.unwrap();
    store.widen(&kept.hash, &Access::Passed([PublicKey([1; 32])].into())).unwrap();
    assert!(!store.is_shown(&kept.hash, PublicKey([1; 32]), Some(PublicKey([1; 32]))));
}

#[tokio::test]
async fn a_file_that_was_changed_is_found_out_when_it_is_to_be_given() {
    let place = tempfile::tempdir().unwrap();
    let bytes = three_pieces();
    let blob = open(&place, QUOTA).put_bytes(bytes.clone()).await.unwrap();
    let store = open(&place, QUOTA);
    assert_eq!(store.outline(blob.hash).await.unwrap(), outline(&bytes));
    let store = open(&place, QUOTA);
    let path = store.path(&blob.hash).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, &bytes[1..]).unwrap();
    assert!(matches!(store.outline(blob.hash).await, Err(StoreError::WrongContent { .. })));
    assert!(!store.has(&blob.hash));
}
