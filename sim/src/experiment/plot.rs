//! Figures: a metric over the sweep, as SVG or PNG. The crate `plotters` draws them.

use super::parameter::Value;
use super::results::{Point, Results};
use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::register_font;
use std::collections::BTreeSet;
use std::ops::Range;

/// What precedes the name of a metric in the name of its closed form.
const CLOSED: &str = "closed_";
/// The most lines of a figure; more cannot be told apart.
const MAX_LINES: usize = 10;
/// The most numbers below the x axis.
const MAX_TICKS: usize = 10;
/// How far apart the values of an axis have to be for a logarithmic scale.
const LOG_FROM: f64 = 50.0;
/// Width and height of a figure, in pixels.
const SIZE: (u32, u32) = (800, 500);
/// A bitmap has so many pixels for each of an SVG.
const SHARPNESS: u32 = 2;
const FONT: &str = "sans-serif";

/// A figure as SVG.
///
/// # Errors
/// There is no such metric, or it cannot be drawn.
pub fn svg(results: &Results, metric: &str) -> Result<String, String> {
    let figure = Figure::of(results, metric)?;
    let mut text = String::new();
    draw(&figure, SVGBackend::with_string(&mut text, SIZE).into_drawing_area(), 1)?;
    Ok(text)
}

/// A figure as PNG.
///
/// # Errors
/// There is no such metric, or it cannot be drawn.
pub fn png(results: &Results, metric: &str) -> Result<Vec<u8>, String> {
    let figure = Figure::of(results, metric)?;
    let (width, height) = (SIZE.0 * SHARPNESS, SIZE.1 * SHARPNESS);
    let length = usize::try_from(width * height * 3).map_err(|error| error.to_string())?;
    let mut pixels = vec![0; length];
    draw(&figure, BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area(), SHARPNESS)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// What is drawn.
struct Figure {
    title: String,
    x: Axis,
    /// What the lines differ in; empty for a single one.
    lines: Vec<Line>,
}

/// The x axis: the places of its values, and what stands there.
struct Axis {
    key: String,
    is_log: bool,
    ticks: Vec<(f64, String)>,
}

struct Line {
    name: String,
    is_closed: bool,
    /// Place, mean, half width.
    points: Vec<(f64, f64, f64)>,
}

impl Figure {
    fn of(results: &Results, metric: &str) -> Result<Self, String> {
        let number = results.metric(metric).ok_or_else(|| {
            let known: Vec<&str> = results.metrics.iter().map(|metric| metric.name).collect();
            format!("there is no metric `{metric}`; there are {}", known.join(", "))
        })?;
        let about = results.metrics.get(number).map_or("", |metric| metric.about);
        let place = axis(results);
        let x = Axis::of(results, place);
        let mut lines = lines(results, place, number, &x, false);
        let closed = results.metric(&format!("{CLOSED}{metric}"));
        lines.extend(closed.map(|closed| self::lines(results, place, closed, &x, true)).unwrap_or_default());
        if lines.iter().all(|line| line.points.is_empty()) {
            return Err(format!("`{metric}` has no values"));
        }
        let all = names(results, place, number).len();
        let left_out = if all > MAX_LINES { format!(" ({MAX_LINES} of {all} lines)") } else { String::new() };
        Ok(Self { title: format!("{metric}: {about}{left_out}"), x, lines })
    }

    /// Lowest and highest place, and lowest and highest value, each with a margin.
    fn bounds(&self) -> ((f64, f64), (f64, f64)) {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let span = |values: Vec<f64>| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let margin = if high > low { (high - low) * 0.06 } else { high.abs().max(1.0) * 0.1 };
            (low - margin, high + margin)
        };
        let x = span(points().map(|point| point.0).collect());
        let y = span(points().flat_map(|(_, mean, half)| [mean - half, mean + half]).collect());
        (x, y)
    }
}

/// Which swept key the x axis shows: the one with the most numbers, else the first.
fn axis(results: &Results) -> Option<usize> {
    let numbers = |place: usize| -> usize {
        let values = results.points.iter().filter_map(|point| point.values.get(place)?.number());
        let mut values: Vec<u64> = values.map(f64::to_bits).collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    // The last of equal ones is the maximum: so from behind.
    (0..results.keys.len()).rev().max_by_key(|place| numbers(*place))
}

impl Axis {
    fn of(results: &Results, place: Option<usize>) -> Self {
        let Some(place) = place else {
            return Self { key: String::new(), is_log: false, ticks: vec![(0.0, "all".into())] };
        };
        let key = results.keys.get(place).cloned().unwrap_or_default();
        let values: Vec<&Value> = results.points.iter().filter_map(|point| point.values.get(place)).collect();
        let numbers: Option<Vec<f64>> = values.iter().map(|value| value.number()).collect();
        let Some(mut numbers) = numbers else {
            let mut words: Vec<String> = Vec::new();
            for word in values.iter().map(|value| value.plain()) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            return Self { key, is_log: false, ticks: (0_u32..).map(f64::from).zip(words).collect() };
        };
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        let is_log = matches!((numbers.first(), numbers.last()), (Some(low), Some(high)) if *low > 0.0 && high / low >= LOG_FROM);
        let at = |number: f64| if is_log { libm::log10(number) } else { number };
        let step = numbers.len().div_ceil(MAX_TICKS).max(1);
        let ticks = numbers.iter().step_by(step).map(|number| (at(*number), short(*number))).collect();
        Self { key, is_log, ticks }
    }

    /// Where a value stands.
    fn at(&self, value: &Value) -> f64 {
        match value.number() {
            Some(number) if self.is_log => libm::log10(number),
            Some(number) => number,
            None => {
                let word = value.plain();
                self.ticks.iter().find(|(_, text)| *text == word).map_or(0.0, |(at, _)| *at)
            }
        }
    }
}

/// The x axis as the library wants it: a range, with numbers or words at the values of the sweep only.
struct Scale {
    range: RangedCoordf64,
    ticks: Vec<(f64, String)>,
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.range.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.range()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format(value: &f64) -> String {
        short(*value)
    }

    fn format_ext(&self, value: &f64) -> String {
        let is_here = |tick: &&(f64, String)| tick.0 == *value;
        self.ticks.iter().find(is_here).map_or_else(String::new, |(_, text)| text.clone())
    }
}

/// What a point is called beside the others of the same place on the x axis: the values of the other keys.
fn name(results: &Results, axis: Option<usize>, point: &Point) -> String {
    let others = results.keys.iter().zip(&point.values).enumerate();
    let others = others.filter(|(place, _)| Some(*place) != axis);
    let others = others
        .map(|(_, (key, value))| format!("{} {}", key.rsplit('.').next().unwrap_or_default(), value.plain()));
    others.collect::<Vec<_>>().join(", ")
}

/// The names of all lines of a metric, in the order of the sweep.
fn names(results: &Results, axis: Option<usize>, metric: usize) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let points = results.points.iter().filter(|point| point.cell(metric).is_some());
    points.map(|point| name(results, axis, point)).filter(|name| seen.insert(name.clone())).collect()
}

/// The lines of a metric: one for each combination of the keys that the x axis does not show, and at most [`MAX_LINES`].
fn lines(results: &Results, axis: Option<usize>, metric: usize, x: &Axis, is_closed: bool) -> Vec<Line> {
    let names = names(results, axis, metric).into_iter().take(MAX_LINES);
    let mut lines: Vec<Line> = names.map(|name| Line { name, is_closed, points: Vec::new() }).collect();
    for point in &results.points {
        let name = name(results, axis, point);
        let Some(line) = lines.iter_mut().find(|line| line.name == name) else { continue };
        let Some(cell) = point.cell(metric) else { continue };
        let at = axis.and_then(|axis| point.values.get(axis)).map_or(0.0, |value| x.at(value));
        line.points.push((at, cell.mean, cell.half_width.unwrap_or(0.0)));
    }
    lines.iter_mut().for_each(|line| line.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    lines
}

/// A number as people write it.
fn short(number: f64) -> String {
    if number != 0.0 && !(1e-3..1e6).contains(&number.abs()) {
        return format!("{number:e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn draw<B: DrawingBackend>(figure: &Figure, area: DrawingArea<B, Shift>, scale: u32) -> Result<(), String> {
    register_font(FONT, FontStyle::Normal, notosans::REGULAR_TTF)
        .map_err(|_| "the font is damaged".to_owned())?;
    let wrong = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
    let ((left, right), (low, high)) = figure.bounds();
    let x = Scale { range: (left..right).into(), ticks: figure.x.ticks.clone() };
    area.fill(&WHITE).map_err(wrong)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(&figure.title, (FONT, 16 * scale))
        .margin(10 * scale)
        .x_label_area_size(45 * scale)
        .y_label_area_size(70 * scale)
        .build_cartesian_2d(x, low..high)
        .map_err(wrong)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_desc(if figure.x.is_log { format!("{} (log)", figure.x.key) } else { figure.x.key.clone() })
        .y_label_formatter(&|value| short(*value))
        .label_style((FONT, 13 * scale))
        .draw()
        .map_err(wrong)?;
    let is_single = figure.lines.iter().filter(|line| !line.is_closed).count() <= 1;
    for line in &figure.lines {
        let number = figure.lines.iter().filter(|other| other.is_closed == line.is_closed);
        let number = number.take_while(|other| other.name != line.name).count();
        let colour = Palette99::pick(number).to_rgba();
        let name = match (line.is_closed, is_single) {
            (true, true) => "closed form".to_owned(),
            (true, false) => format!("{} (closed form)", line.name),
            (false, true) if line.name.is_empty() => "measured".to_owned(),
            (false, _) => line.name.clone(),
        };
        let at = line.points.iter().map(|(x, mean, _)| (*x, *mean));
        let style = colour.stroke_width(2 * scale);
        let length = i32::try_from(20 * scale).unwrap_or(20);
        let drawn = if line.is_closed {
            let (dash, gap) = (6 * scale, 4 * scale);
            chart
                .draw_series(DashedLineSeries::new(at, dash, gap, colour.stroke_width(scale)))
                .map_err(wrong)?
        } else {
            chart.draw_series(LineSeries::new(at, style)).map_err(wrong)?;
            let bars = line.points.iter().map(|(x, mean, half)| {
                ErrorBar::new_vertical(*x, mean - half, *mean, mean + half, colour.filled(), 8 * scale)
            });
            chart.draw_series(bars).map_err(wrong)?
        };
        let width = if line.is_closed { scale } else { 3 * scale };
        drawn
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + length, y)], colour.stroke_width(width)));
    }
    chart
        .configure_series_labels()
        .legend_area_size(30 * scale)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 12 * scale))
        .draw()
        .map_err(wrong)?;
    area.present().map_err(wrong)
}
