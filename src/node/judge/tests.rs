use super::*;
use ::image::{ExtendedColorType, ImageFormat};
use service::task::Comparison;

/// Where two contents differ first, as `place: expected, found`.
fn check(found: &Found, expected: Option<&str>) {
    let found = found.as_ref().map(|(place, one, other)| format!("{place}: {one}, {other}"));
    assert_eq!(found.as_deref(), expected);
}

#[test]
fn texts_agree_whatever_ends_their_lines() {
    let text = |one: &str, other: &str, expected| {
        check(&contents(&Comparison::Text, one.as_bytes(), other.as_bytes()), expected);
    };
    text("a\nb\n", "a\r\nb  \r\n\r\n", None);
    text("", "\n\n", None);
    text("a\nb", "a\nc", Some("line 2: `b`, `c`"));
    text("a", "a\nb", Some("line 2: the end, `b`"));
    text("a\n\nb", "a\nb", Some("line 2: ``, `b`"));
    text(" a", "a", Some("line 1: ` a`, `a`"));
}

#[test]
fn numbers_agree_within_their_tolerances() {
    let numeric = |abs: f64, rel: f64, one: &str, other: &str, expected| {
        check(&numeric::compare(one.as_bytes(), other.as_bytes(), abs, rel), expected);
    };
    numeric(0.0, 0.0, "1.0 x", "1.00   x\n", None);
    numeric(0.0, 0.0, "1 2\n3 4", "1 2 3 5", Some("line 2, value 2: `4`, `5`"));
    numeric(0.125, 0.0, "1.5", "1.625", None);
    numeric(0.125, 0.0, "1.5", "1.75", Some("line 1, value 1: `1.5`, `1.75`"));
    numeric(0.0, 0.01, "x=100; y=-1e300", "x=99, y=-1.001e300", None);
    numeric(0.0, 0.01, "100", "98.9", Some("line 1, value 1: `100`, `98.9`"));
    numeric(1.0, 1.0, "a", "b", Some("line 1, value 1: `a`, `b`"));
    numeric(1.0, 1.0, "nan", "NaN", None);
    numeric(1e308, 1.0, "inf", "1e308", Some("line 1, value 1: `inf`, `1e308`"));
    numeric(0.0, 0.0, "inf", "infinity", None);
    numeric(1.0, 1.0, "1", "1 2", Some("line 1, value 2: the end, `2`"));
}

/// A picture of two by two pixels with this red in its last one.
fn picture(format: ImageFormat, red: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = [9, 9, 9, 8, 8, 8, 7, 7, 7, red, 6, 6];
    let picture = ::image::RgbImage::from_raw(2, 2, pixels.to_vec()).unwrap();
    assert_eq!(picture.sample_layout().channels, 3, "{:?}", ExtendedColorType::Rgb8);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn pictures_agree_by_their_pixels_in_every_format() {
    use ImageFormat::{Bmp, Png, Pnm, Tga};
    for one in [Png, Bmp, Pnm, Tga] {
        for other in [Png, Bmp, Pnm, Tga] {
            check(&image::compare(&picture(one, 6), &picture(other, 6), 0, 0.0), None);
        }
    }
    let (first, second) = (picture(Png, 6), picture(Png, 16));
    check(&image::compare(&first, &second, 10, 0.0), None);
    check(&image::compare(&first, &second, 0, 0.25), None);
    let differs = "pixel 1, 1, and 1 of 4 in all: colour 6 6 6 255, colour 16 6 6 255";
    check(&image::compare(&first, &second, 9, 0.24), Some(differs));
    let mut small = std::io::Cursor::new(Vec::new());
    ::image::RgbImage::new(1, 2).write_to(&mut small, Png).unwrap();
    let size = "the size: 2 × 2 pixels, 1 × 2 pixels";
    check(&image::compare(&first, &small.into_inner(), 255, 1.0), Some(size));
}

#[test]
fn what_is_no_picture_is_a_difference_and_no_panic() {
    let png = picture(ImageFormat::Png, 6);
    for broken in [&b""[..], b"P6 99999999 99999999 255\n", b"\x89PNG\r\n\x1a\n", &png[..png.len() / 2]] {
        let found = image::compare(&png, broken, 255, 1.0).unwrap();
        assert!(found.2.starts_with("no picture that can be read"), "{found:?}");
    }
}

#[tokio::test]
async fn outputs_are_compared_one_after_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(directory.path(), proto::Bytes::mib(1)).unwrap());
    let (one, same) =
        (store.put_bytes(b"1\n".to_vec()).await.unwrap(), store.put_bytes(b"1\r\n".to_vec()).await.unwrap());
    let other = store.put_bytes(b"2".to_vec()).await.unwrap();
    let method = Comparison::Text;
    let of = |pairs: Vec<(&str, Option<Blob>, Option<Blob>)>| {
        let pairs = pairs.into_iter().map(|(name, one, other)| (name.to_owned(), one, other)).collect();
        first_difference(&Comparing { method: method.clone(), program: None, pairs }, &store)
    };
    assert_eq!(of(vec![("a", Some(one), Some(same)), ("b", None, None)]), None);
    let difference = of(vec![("a", Some(one), Some(same)), ("b", Some(one), Some(other))]).unwrap();
    assert_eq!(difference.to_string(), "`b`, line 1: `2` instead of `1`");
    let difference = of(vec![("a", Some(one), None)]).unwrap();
    assert_eq!(difference.to_string(), "`a`: nothing instead of a file");
    let large = Blob { size: proto::Bytes(LARGEST + 1), ..other };
    let difference = of(vec![("a", Some(one), Some(large))]).unwrap();
    assert!(difference.found.contains("too large"), "{difference}");
}

#[test]
fn what_a_task_looks_for_is_found_by_its_text_or_its_first_number() {
    use service::task::{StopCondition, StopPlace};
    let place = || StopPlace::StdOut;
    let search = |condition: StopCondition, bytes: &str| {
        search::search(&condition, "standard output", bytes.as_bytes())
    };
    let contains = |text: &str| StopCondition::Contains { place: place(), text: text.into() };
    let found = search(contains("found"), "a\nb found\n");
    assert_eq!(found.as_deref(), Some("`found` stands in standard output, line 2"));
    assert_eq!(search(contains("found"), "foun"), None);
    let bound = service::task::Decimal::default;
    let below = || StopCondition::Below { place: place(), bound: bound() };
    let above = || StopCondition::Above { place: place(), bound: bound() };
    assert_eq!(search(below(), "loss: -0.5, 3").as_deref(), Some("-0.5 in standard output is below 0"));
    assert_eq!(search(above(), "loss: -0.5, 3"), None);
    assert_eq!(search(above(), "3").as_deref(), Some("3 in standard output is above 0"));
    assert_eq!((search(below(), "no number"), search(above(), "nan")), (None, None));
}
