//! Columns that align, and fit.

use crate::out;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Rows under heads.
pub(crate) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Between two columns.
const GAP: usize = 2;
/// No column is made narrower than this.
const LEAST: usize = 8;

impl Table {
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        Self {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each head.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| out::clean(&cell)).collect());
    }

    /// The table as text, no wider than `width` where that is possible; with colours where they are wanted.
    pub(crate) fn written(&self, width: Option<usize>, colours: bool) -> String {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.width()).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = cell.width().max(*widest);
            }
        }
        if let Some(width) = width {
            narrow(&mut widths, width);
        }
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let mut lines = vec![line(&heads, &widths)];
        if colours {
            lines[0] = format!("\x1b[2m{}\x1b[22m", lines[0]);
        }
        lines.extend(self.rows.iter().map(|row| line(row, &widths)));
        lines.join("\n")
    }

    /// Prints it as the reader can take it.
    pub(crate) fn print(&self) -> Result<(), crate::trouble::Trouble> {
        out::say(&self.written(out::width(), out::colours()))
    }
}

/// Takes from the widest until all fit.
fn narrow(widths: &mut [usize], width: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
    while over > 0 {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > LEAST) else {
            return;
        };
        *widest -= 1;
        over -= 1;
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
        if place > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let cell = cut(cell, *width);
        let rest = width - cell.width().min(*width);
        line.push_str(&cell);
        line.push_str(&" ".repeat(rest));
    }
    line.truncate(line.trim_end().len());
    line
}

/// The text, or as much of its beginning as fits, with a sign that there is more.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut cut, mut used) = (String::new(), 0);
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used >= width {
            break;
        }
        cut.push(letter);
    }
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATUS", "ID"]);
        table.row([
            "Fix the login page of the console".into(),
            "running".into(),
            "fix-abcde".into(),
        ]);
        table.row(["日本語".into(), "stopped".into(), "s-1".into()]);
        table
    }

    #[test]
    fn columns_align_also_under_wide_letters() {
        let written = table().written(None, false);
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[1], "Fix the login page of the console  running  fix-abcde");
        assert_eq!(lines[2], "日本語                             stopped  s-1");
        assert!(lines.iter().all(|line| !line.ends_with(' ')));
    }

    #[test]
    fn what_is_too_wide_is_cut_where_it_is_widest() {
        let written = table().written(Some(40), false);
        assert!(written.lines().all(|line| line.width() <= 40), "{written}");
        assert!(
            written.contains("Fix the login page…   running  fix-abcde"),
            "{written}"
        );
    }

    #[test]
    fn a_narrow_terminal_makes_no_table_disappear() {
        let written = table().written(Some(1), false);
        assert!(written.contains("running") && written.contains("Fix the…"), "{written}");
    }

    #[test]
    fn nothing_of_somebody_else_reaches_the_terminal_as_a_command() {
        let mut table = Table::new(&["NAME"]);
        table.row(["\x1b]0;owned\x07\r\n".into()]);
        let written = table.written(None, false);
        assert!(!written.contains(['\x1b', '\x07', '\r']), "{written:?}");
    }
}
