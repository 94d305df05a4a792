//! What was measured, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::machine::{Build, Machine};

/// One measurement, with everything that it takes to judge it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was measured.
    pub bench: String,
    /// When.
    pub date: String,
    /// The command that did it.
    pub command: String,
    /// Which programs.
    pub build: Build,
    /// Where.
    pub machine: Machine,
    /// The numbers.
    pub rows: Vec<Row>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is.
    pub what: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The most that it may be, if there is a bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

impl Row {
    /// A number without a bar.
    #[must_use]
    pub fn new(what: &str, value: f64, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            value,
            unit: unit.to_owned(),
            at_most: None,
        }
    }

    /// The same with a bar.
    #[must_use]
    pub fn at_most(self, bar: f64) -> Self {
        Self {
            at_most: Some(bar),
            ..self
        }
    }

    fn cells(&self) -> [String; 3] {
        let value = format!("{} {}", number(self.value), self.unit);
        let bar = match self.at_most {
            None => String::new(),
            Some(bar) => {
                let verdict = if self.value <= bar { "met" } else { "missed" };
                format!("≤ {} {} ({verdict})", number(bar), self.unit)
            }
        };
        [self.what.clone(), value, bar]
    }
}

/// Three figures are what a measurement like these can tell.
fn number(value: f64) -> String {
    match value {
        v if v.abs() >= 100.0 => format!("{v:.0}"),
        v if v.abs() >= 10.0 => format!("{v:.1}").trim_end_matches(".0").to_owned(),
        v => format!("{v:.2}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        let gigabytes = machine.memory_bytes as f64 / 1e9;
        writeln!(f, "{}, {}", self.bench, self.date)?;
        writeln!(
            f,
            "{}, {} cores, {gigabytes:.0} GB, {}, load {}",
            machine.cpu, machine.cores, machine.system, machine.load
        )?;
        writeln!(f, "{} build: {}\n", self.build.profile, self.build.daemon)?;
        let head = ["what", "measured", "bar"].map(str::to_owned);
        let rows: Vec<[String; 3]> = self.rows.iter().map(Row::cells).collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&head]);
            cells.map(|row| row[column].chars().count()).max()
        };
        let widths = [0, 1, 2].map(|column| width(column).unwrap_or_default());
        let line = |row: &[String; 3]| {
            let cells = row.iter().zip(widths);
            let cells: Vec<String> = cells.map(|(cell, wide)| format!("{cell:<wide$}")).collect();
            format!("| {} |", cells.join(" | "))
        };
        writeln!(f, "{}", line(&head))?;
        writeln!(f, "|{}|", widths.map(|wide| "-".repeat(wide + 2)).join("|"))?;
        for row in &rows {
            writeln!(f, "{}", line(row))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_where_when_and_how() {
        let report = Report {
            bench: "memory".to_owned(),
            date: "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
            command: "bench memory".to_owned(),
            build: Build {
                daemon: "target/debug/orchestratord".to_owned(),
                profile: "dev".to_owned(),
            },
            machine: Machine {
                cpu: "A processor".to_owned(),
                cores: 2,
                memory_bytes: 8_000_000_000,
                system: "linux 6.1".to_owned(),
                load: "0.10 0.20 0.30".to_owned(),
            },
            rows: vec![
                Row::new("daemon", 12.34, "MB").at_most(60.0),
                Row::new("a queued task", 2_000.0, "bytes").at_most(1_024.0),
                Row::new("engine", 9.0, "MB"),
            ],
        };
        insta::assert_snapshot!(report, @r"
        memory, Thu, 01 Jan 1970 00:00:00 GMT
        A processor, 2 cores, 8 GB, linux 6.1, load 0.10 0.20 0.30
        dev build: target/debug/orchestratord

        | what          | measured   | bar                   |
        |---------------|------------|-----------------------|
        | daemon        | 12.3 MB    | ≤ 60 MB (met)         |
        | a queued task | 2000 bytes | ≤ 1024 bytes (missed) |
        | engine        | 9.00 MB    |                       |
        ");
    }
}
