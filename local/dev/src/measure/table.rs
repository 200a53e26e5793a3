//! Tables of text, and numbers in a readable format.

use std::time::Duration;

/// Rows under a header. The first column is text; the others are numbers.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Table {
        Table {
            rows: vec![head.into_iter().map(Into::into).collect()],
        }
    }

    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let name = std::iter::once(name.to_owned());
        self.rows.push(name.chain(cells).collect());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (n, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => line.push_str(&format!("{cell:<width$}")),
                    _ => line.push_str(&format!("  {cell:>width$}")),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
            if n == 0 {
                let all = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
                writeln!(f, "{}", "-".repeat(all))?;
            }
        }
        Ok(())
    }
}

/// A whole number with thousands separators.
pub fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn two_digits(number: f64) -> String {
    format!("{number:.2}")
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

pub fn megabytes(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => format!("{:.1} MB", bytes as f64 / 1_000_000.0),
        None => "unknown".to_owned(),
    }
}

/// `ours` as a multiple of `other`, to two significant digits.
pub fn ratio(ours: f64, other: f64) -> String {
    let ratio = ours / other;
    match ratio {
        _ if other <= 0.0 => "unknown".to_owned(),
        0.1.. => format!("{ratio:.2}×"),
        0.01.. => format!("{ratio:.3}×"),
        _ => format!("{ratio:.4}×"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["", "ours", "BullMQ"]);
        table.row("jobs/s", ["12,345".to_owned(), "9".to_owned()]);
        table.row("memory of all", ["1×".to_owned()]);
        let lines: Vec<String> = table.to_string().lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "                 ours  BullMQ");
        assert_eq!(lines[1], "-".repeat(29));
        assert_eq!(lines[2], "jobs/s         12,345       9");
        assert_eq!(lines[3], "memory of all      1×");
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(whole(0.4), "0");
        assert_eq!(whole(999.0), "999");
        assert_eq!(whole(1_234_567.4), "1,234,567");
        assert_eq!(milliseconds(Duration::from_micros(1234)), "1.23 ms");
        assert_eq!(megabytes(Some(12_340_000)), "12.3 MB");
        assert_eq!(ratio(3.0, 2.0), "1.50×");
        assert_eq!(ratio(0.2, 27.5), "0.0073×");
        assert_eq!(ratio(3.0, 0.0), "unknown");
    }
}
