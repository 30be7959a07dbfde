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
async fn a_file_that_somebody_removed_is_absent() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 100);
    let blob = store.put_bytes(content(1)).await.unwrap();
    fs::remove_file(store.path(&blob.hash).unwrap()).unwrap();
    assert!(matches!(store.read(blob.hash, 0, 1).await, Err(StoreError::Absent { .. })));
    assert_eq!((store.has(&blob.hash), store.used()), (false, Bytes(0)));
}

#[tokio::test]
async fn a_content_that_was_cut_goes_on_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let bytes = content(1);
    {
        let mut writer = open(&place, 1_000).writer(blob(&bytes)).await.unwrap();
        writer.write(bytes[..60].to_vec()).await.unwrap();
    }
    let store = open(&place, 1_000);
    assert_eq!(store.used(), Bytes(60));
    let mut writer = store.writer(blob(&bytes)).await.unwrap();
    assert_eq!((writer.offset(), writer.is_complete()), (60, false));
    assert!(matches!(store.writer(blob(&bytes)).await, Err(StoreError::Busy { .. })));
    writer.write(bytes[60..].to_vec()).await.unwrap();
    assert!(writer.is_complete() && !store.has(&blob(&bytes).hash));
    writer.finish().await.unwrap();
    assert_eq!(store.read(blob(&bytes).hash, 0, 200).await.unwrap(), bytes);
    assert_eq!((store.used(), files_below(place.path()).len()), (Bytes(100), 1));
}

/// Writes `pieces` for a content of 100 bytes of 1: refused, and nothing stays.
async fn check_wrong(pieces: &[&[u8]]) {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 1_000);
    let mut writer = store.writer(blob(&content(1))).await.unwrap();
    let mut written = Ok(());
    for piece in pieces {
        written = writer.write(piece.to_vec()).await;
    }
    let ended = match written {
        Ok(()) => writer.finish().await,
        failed => {
            drop(writer);
            failed
        }
    };
    assert!(matches!(ended, Err(StoreError::WrongContent { .. })), "{ended:?}");
    assert_eq!((store.used(), files_below(place.path()).len()), (Bytes(0), 0));
    store.writer(blob(&content(1))).await.unwrap();
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_removed() {
    let (ones, twos) = (content(1), content(2));
    check_wrong(&[&twos]).await;
    check_wrong(&[&ones[..99]]).await;
    check_wrong(&[&ones, &ones[..1]]).await;
    check_wrong(&[]).await;
}

#[tokio::test]
async fn an_abandoned_part_makes_room_before_any_whole_content() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 200);
    let kept = store.put_bytes(content(1)).await.unwrap();
    let mut writer = store.writer(blob(&content(2))).await.unwrap();
    writer.write(content(2)[..80].to_vec()).await.unwrap();
    assert!(store.put_bytes(vec![3; 101]).await.is_ok(), "the whole content goes while the part is written");
    assert!(!store.has(&kept.hash));
    drop(writer);
    store.put_bytes(vec![4; 99]).await.unwrap();
    assert_eq!(store.used(), Bytes(200));
}

#[tokio::test]
async fn a_claim_of_size_removes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 200);
    let kept = store.put_bytes(content(1)).await.unwrap();
    let claim = Blob { hash: Hash([9; 32]), size: Bytes(200) };
    drop(store.writer(claim).await.unwrap());
    assert!(store.has(&kept.hash));
    let beyond = Blob { size: Bytes(201), ..claim };
    assert!(matches!(store.writer(beyond).await, Err(StoreError::Full { .. })));
    let too_large = Blob { size: Bytes(MAX_BLOB + 1), ..claim };
    assert!(matches!(store.writer(too_large).await, Err(StoreError::TooLarge { .. })));
    assert_eq!(files_below(place.path()).len(), 1);
}

#[tokio::test]
async fn nothing_is_a_content_too() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place, 200);
    store.writer(blob(&[])).await.unwrap().finish().await.unwrap();
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
    let is_shown = |key: &&u8| store.is_shown(hash, PublicKey([**key; 32]));
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
    assert!(!store.is_shown(&blob.hash, key(0)) && store.is_shown(&blob.hash, key(1)));
    assert!(store.is_shown(&blob.hash, key(1_024)));
}
