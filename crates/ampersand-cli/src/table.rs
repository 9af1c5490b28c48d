//! A table for people, and ages as they say them.

use std::time::Duration;

/// The lines of a table: columns as wide as what is in them, the last one cut so that no line is wider than the terminal.
pub(crate) fn lines<const N: usize>(rows: &[[String; N]], width: Option<usize>) -> Vec<String> {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cut(cells.collect::<Vec<_>>().join("  ").trim_end(), width)
    };
    rows.iter().map(line).collect()
}

fn cut(line: &str, width: Option<usize>) -> String {
    match width.filter(|width| line.chars().count() > *width) {
        Some(width) => line.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        None => line.to_owned(),
    }
}

/// The width of the terminal that stdout is; `None` where it is none, and nothing is cut.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into())
}

/// A span in its largest unit: `3 min`.
pub(crate) fn age(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let ages = [0, 59, 60, 3_599, 3_600, 172_799, 172_800].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
    }

    #[test]
    fn columns_are_aligned_and_the_last_is_cut() {
        let rows = [["a", "b", "a reason"], ["long", "", "é"]].map(|row| row.map(str::to_owned));
        assert_eq!(lines(&rows, None), ["a     b  a reason", "long     é"]);
        assert_eq!(lines(&rows, Some(12)), ["a     b  a …", "long     é"]);
    }
}
