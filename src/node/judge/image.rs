//! `image`: pictures of one size whose pixels differ by at most so much, but for a share of them. PNG, PPM, BMP and TGA:
//! what stands in the file beside the pixels, such as the date of the rendering, does not count.

use super::Found;
use image::{DynamicImage, ImageFormat, ImageReader, Limits, Rgba};
use std::io::Cursor;

/// The widest and the highest picture.
const MAX_SIDE: u32 = 32_768;
/// The most memory for one picture: 8192 × 8192 pixels of 8 bytes.
const MAX_ALLOC: u64 = 512 << 20;
/// Steps of 16 bits in one of 8.
const STEPS: u16 = 257;

/// The first pixel that differs, if too many do.
pub(super) fn compare(one: &[u8], other: &[u8], channel: u8, pixels: f64) -> Found {
    let unread = |why: String| (String::new(), "a picture".into(), why);
    let (one, other) = match (decode(one), decode(other)) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(why), _) | (_, Err(why)) => return Some(unread(why)),
    };
    let size = |picture: &DynamicImage| format!("{} × {} pixels", picture.width(), picture.height());
    if size(&one) != size(&other) {
        return Some(("the size".into(), size(&one), size(&other)));
    }
    let tolerance = u16::from(channel) * STEPS;
    let (one, other) = (one.to_rgba16(), other.to_rgba16());
    let total = one.pixels().len();
    let mut differing = one
        .enumerate_pixels()
        .zip(other.pixels())
        .filter(|((_, _, a), b)| !are_near(a, b, tolerance))
        .map(|((x, y, a), b)| (x, y, *a, *b));
    let first = differing.next()?;
    let count = 1 + differing.count();
    if as_share(count, total) <= pixels {
        return None;
    }
    let (x, y, a, b) = first;
    Some((format!("pixel {x}, {y}, and {count} of {total} in all"), colour(a), colour(b)))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    // A TGA file does not say what it is.
    let format = image::guess_format(bytes).unwrap_or(ImageFormat::Tga);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    reader.decode().map_err(|error| format!("no picture that can be read: {error}"))
}

fn are_near(one: &Rgba<u16>, other: &Rgba<u16>, tolerance: u16) -> bool {
    one.0.iter().zip(&other.0).all(|(a, b)| a.abs_diff(*b) <= tolerance)
}

/// A share of pixels, exact to the 2⁵³rd part.
fn as_share(count: usize, total: usize) -> f64 {
    let as_f64 = |number: usize| u32::try_from(number).map_or(f64::MAX, f64::from);
    as_f64(count) / as_f64(total.max(1))
}

/// A colour as 8-bit parts.
fn colour(Rgba([red, green, blue, alpha]): Rgba<u16>) -> String {
    let part = |part: u16| part / STEPS;
    format!("colour {} {} {} {}", part(red), part(green), part(blue), part(alpha))
}
