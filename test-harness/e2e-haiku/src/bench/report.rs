//! What was measured, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::disk::Disk;
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
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

/// What one bench found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// What the daemon had to do, in a sentence.
    pub load: String,
    /// The disk under its data, measured in between; none where it does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// Figures side by side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grids: Vec<Grid>,
    /// Single figures, those with a bar among them.
    pub rows: Vec<Row>,
    /// What a reader has to know besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Figures side by side: for each case the same ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// What the cases differ in.
    pub case: String,
    /// What each column holds, with its unit.
    pub columns: Vec<String>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One line of a grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Which.
    pub case: String,
    /// Its figures, one for each column.
    pub values: Vec<f64>,
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
    /// The least that it may be, if there is a bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The most that it may be, if there is a bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

impl Grid {
    /// A grid without a case.
    #[must_use]
    pub fn new(case: &str, columns: &[&str]) -> Self {
        Self {
            case: case.to_owned(),
            columns: columns.iter().map(|it| (*it).to_owned()).collect(),
            cases: Vec::new(),
        }
    }

    /// Adds a case with its figures, one for each column.
    pub fn add(&mut self, case: &str, values: Vec<f64>) {
        debug_assert_eq!(values.len(), self.columns.len(), "{case}");
        self.cases.push(Case {
            case: case.to_owned(),
            values,
        });
    }

    fn table(&self) -> Table {
        let head = [&self.case].into_iter().chain(&self.columns);
        let line = |case: &Case| {
            let values = case.values.iter().map(|value| number(*value));
            [case.case.clone()].into_iter().chain(values).collect()
        };
        Table {
            head: head.cloned().collect(),
            lines: self.cases.iter().map(line).collect(),
        }
    }
}

impl Row {
    /// A number without a bar.
    #[must_use]
    pub fn new(what: &str, value: f64, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            value,
            unit: unit.to_owned(),
            at_least: None,
            at_most: None,
        }
    }

    /// The same with the least that it may be.
    #[must_use]
    pub fn at_least(self, bar: f64) -> Self {
        Self {
            at_least: Some(bar),
            ..self
        }
    }

    /// The same with the most that it may be.
    #[must_use]
    pub fn at_most(self, bar: f64) -> Self {
        Self {
            at_most: Some(bar),
            ..self
        }
    }

    /// The same with what it has to be.
    #[must_use]
    pub fn exactly(self, bar: f64) -> Self {
        self.at_least(bar).at_most(bar)
    }

    fn cells(&self) -> Vec<String> {
        let with_unit = |value: f64| format!("{} {}", number(value), self.unit);
        let bar = match (self.at_least, self.at_most) {
            (None, None) => String::new(),
            (least, most) => {
                let bar = match (least, most) {
                    (Some(least), Some(most)) if least == most => format!("= {}", with_unit(most)),
                    (Some(least), None) => format!("≥ {}", with_unit(least)),
                    (_, most) => format!("≤ {}", with_unit(most.unwrap_or_default())),
                };
                format!("{bar} ({})", if self.is_met() { "met" } else { "missed" })
            }
        };
        vec![self.what.clone(), with_unit(self.value), bar]
    }

    fn is_met(&self) -> bool {
        self.at_least.is_none_or(|least| self.value >= least)
            && self.at_most.is_none_or(|most| self.value <= most)
    }
}

/// Three figures are what a measurement like these can tell; counts are shown as they are.
fn number(value: f64) -> String {
    match value {
        v if v.fract() == 0.0 && v.abs() < 1e9 => format!("{v:.0}"),
        v if v.abs() >= 100.0 => format!("{v:.0}"),
        v if v.abs() >= 10.0 => format!("{v:.1}").trim_end_matches(".0").to_owned(),
        v if v.abs() >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
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
        writeln!(f, "{} build: {}", self.build.profile, self.build.daemon)?;
        if let Some(disk) = &self.findings.disk {
            writeln!(
                f,
                "disk: {:.0} fdatasync/s of 4 KiB appended; p50 {:.0}, p95 {:.0}, p99 {:.0} us",
                disk.syncs_per_second, disk.sync_p50_us, disk.sync_p95_us, disk.sync_p99_us
            )?;
        }
        writeln!(f, "load: {}", self.findings.load)?;
        for grid in &self.findings.grids {
            write!(f, "\n{}", grid.table())?;
        }
        let rows = Table {
            head: ["what", "measured", "bar"].map(str::to_owned).to_vec(),
            lines: self.findings.rows.iter().map(Row::cells).collect(),
        };
        write!(f, "\n{rows}")?;
        for note in &self.findings.notes {
            write!(f, "\n{note}\n")?;
        }
        Ok(())
    }
}

/// Cells as Markdown shows them.
struct Table {
    head: Vec<String>,
    lines: Vec<Vec<String>>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                let cells = self.lines.iter().chain([&self.head]);
                let wide = cells.map(|line| line[column].chars().count()).max();
                wide.unwrap_or_default()
            })
            .collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths);
            let cells: Vec<String> = cells.map(|(cell, wide)| format!("{cell:<wide$}")).collect();
            format!("| {} |", cells.join(" | "))
        };
        writeln!(f, "{}", line(&self.head))?;
        let rule: Vec<String> = widths.iter().map(|wide| "-".repeat(wide + 2)).collect();
        writeln!(f, "|{}|", rule.join("|"))?;
        for cells in &self.lines {
            writeln!(f, "{}", line(cells))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_where_when_and_how() {
        let mut grid = Grid::new("connections", &["tasks/s", "p50 ms"]);
        grid.add("1", vec![4_321.6, 0.2345]);
        grid.add("64", vec![98_765.4, 12.34]);
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
            findings: Findings {
                load: "nothing".to_owned(),
                disk: Some(Disk {
                    syncs_per_second: 4_000.4,
                    sync_p50_us: 240.0,
                    sync_p95_us: 300.0,
                    sync_p99_us: 500.0,
                }),
                grids: vec![grid],
                rows: vec![
                    Row::new("daemon", 12.34, "MB").at_most(60.0),
                    Row::new("a queued task", 2_000.0, "bytes").at_most(1_024.0),
                    Row::new("tasks", 31_000.0, "/s").at_least(30_000.0),
                    Row::new("commits", 2.0, "each").exactly(1.0),
                    Row::new("engine", 9.01, "MB"),
                ],
                notes: vec!["It is so.".to_owned()],
            },
        };
        insta::assert_snapshot!(report, @r"
        memory, Thu, 01 Jan 1970 00:00:00 GMT
        A processor, 2 cores, 8 GB, linux 6.1, load 0.10 0.20 0.30
        dev build: target/debug/orchestratord
        disk: 4000 fdatasync/s of 4 KiB appended; p50 240, p95 300, p99 500 us
        load: nothing

        | connections | tasks/s | p50 ms |
        |-------------|---------|--------|
        | 1           | 4322    | 0.234  |
        | 64          | 98765   | 12.3   |

        | what          | measured   | bar                   |
        |---------------|------------|-----------------------|
        | daemon        | 12.3 MB    | ≤ 60 MB (met)         |
        | a queued task | 2000 bytes | ≤ 1024 bytes (missed) |
        | tasks         | 31000 /s   | ≥ 30000 /s (met)      |
        | commits       | 2 each     | = 1 each (missed)     |
        | engine        | 9.01 MB    |                       |

        It is so.
        ");
    }
}
