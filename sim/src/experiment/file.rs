//! Tables as files: comma-separated values and Parquet.

use super::table::{Cells, Column};
use csv::WriterBuilder;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result as Parquet;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::sync::Arc;

/// Rows of a group in a Parquet file.
const GROUP: usize = 1 << 16;

/// The columns as comma-separated values, with a header.
pub(super) fn csv(columns: &[Column]) -> Result<Vec<u8>, String> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    let wrong = |error: csv::Error| error.to_string();
    writer.write_record(columns.iter().map(|column| &column.name)).map_err(wrong)?;
    for row in 0..rows(columns) {
        writer.write_record(columns.iter().map(|column| column.cells.text(row))).map_err(wrong)?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// The columns as a Parquet file, uncompressed, with `notes` in its metadata.
pub(super) fn parquet(columns: &[Column], notes: &[(&str, String)]) -> Result<Vec<u8>, String> {
    written(columns, notes).map_err(|error| error.to_string())
}

fn rows(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.cells.len()).max().unwrap_or(0)
}

fn written(columns: &[Column], notes: &[(&str, String)]) -> Parquet<Vec<u8>> {
    let fields = columns.iter().map(field).collect::<Parquet<Vec<_>>>()?;
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let notes = notes.iter().map(|(key, value)| KeyValue::new((*key).into(), value.clone())).collect();
    let properties = WriterProperties::builder()
        .set_created_by(format!("compup2p {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(notes))
        .build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
    for from in (0..rows(columns)).step_by(GROUP) {
        let mut group = writer.next_row_group()?;
        for column in columns {
            let range = from..(from + GROUP).min(column.cells.len());
            let Some(mut target) = group.next_column()? else { break };
            match &column.cells {
                Cells::Integers(cells) => {
                    let (values, levels) = present(cells.get(range).unwrap_or_default());
                    target.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
                }
                Cells::Reals(cells) => {
                    let (values, levels) = present(cells.get(range).unwrap_or_default());
                    target.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
                }
                Cells::Texts(cells) => {
                    let texts = cells.get(range).unwrap_or_default();
                    let values: Vec<ByteArray> = texts.iter().map(|text| text.as_str().into()).collect();
                    target.typed::<ByteArrayType>().write_batch(
                        &values,
                        Some(&vec![1; values.len()]),
                        None,
                    )?;
                }
            }
            target.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(bytes)
}

fn field(column: &Column) -> Parquet<Arc<Type>> {
    let (physical, logical) = match column.cells {
        Cells::Integers(_) => (Physical::INT64, None),
        Cells::Reals(_) => (Physical::DOUBLE, None),
        Cells::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

/// The values that are there, and which of the cells have one.
fn present<T: Copy>(cells: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    let levels = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    (cells.iter().copied().flatten().collect(), levels)
}
