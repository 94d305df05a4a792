//! What a run has brought, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use test_harness_history::Harm;

use crate::director::Deeds;
use crate::figures::Figures;
use crate::point::Point;
use crate::strike::Victim;

/// How long something took, over a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// How often it was measured.
    pub count: usize,
    /// The time in the middle, in milliseconds.
    pub p50_ms: f64,
    /// The time that one in a hundred exceeds, in milliseconds.
    pub p99_ms: f64,
    /// The longest, in milliseconds.
    pub max_ms: f64,
}

impl Recovery {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| {
            let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
            let time = times.get(index).copied().unwrap_or_default();
            time.as_secs_f64() * 1_000.0
        };
        Self {
            count: times.len(),
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }
}

/// What a run has brought.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it ended.
    pub date: String,
    /// What drew the schedule.
    pub seed: u64,
    /// Rounds, each with a store of its own.
    pub rounds: u64,
    /// How long it took, in seconds.
    pub duration_s: f64,
    /// Kills of daemons and engines.
    pub killed: u64,
    /// Everything that was done.
    pub deeds: Deeds,
    /// What clients, readers and engines saw.
    pub figures: Figures,
    /// From the start of a daemon to the moment at which it accepts requests.
    pub started: Recovery,
    /// From the kill of a daemon to the next token that a reader saw, the time for which it was left dead included.
    pub resumed: Recovery,
    /// What is broken, in words. Empty if nothing is.
    pub broken: Vec<String>,
    /// Where history, schedule, log and data lie, if something is broken.
    pub evidence: Option<PathBuf>,
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kills = self.deeds.kills.iter();
        let kills: Vec<Kill> = kills
            .map(|((victim, point), count)| Kill {
                victim: *victim,
                point: *point,
                count: *count,
            })
            .collect();
        let mut report = serializer.serialize_struct("Report", 12)?;
        report.serialize_field("date", &self.date)?;
        report.serialize_field("seed", &self.seed)?;
        report.serialize_field("rounds", &self.rounds)?;
        report.serialize_field("duration_s", &self.duration_s)?;
        report.serialize_field("killed", &self.killed)?;
        report.serialize_field("kills", &kills)?;
        report.serialize_field("other_faults", &self.deeds.others)?;
        report.serialize_field("figures", &self.figures)?;
        report.serialize_field("started", &self.started)?;
        report.serialize_field("resumed", &self.resumed)?;
        report.serialize_field("broken", &self.broken)?;
        report.serialize_field("evidence", &self.evidence)?;
        report.end()
    }
}

#[derive(Serialize)]
struct Kill {
    victim: Victim,
    point: Point,
    count: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            date,
            seed,
            rounds,
            duration_s,
            killed,
            ..
        } = self;
        writeln!(
            f,
            "{date}: {killed} kills in {rounds} rounds, {duration_s:.0} s, seed {seed}\n"
        )?;
        self.kills(f)?;
        self.seen(f)?;
        if self.broken.is_empty() {
            return writeln!(f, "\nNothing is broken.");
        }
        writeln!(f, "\nBROKEN:")?;
        for what in &self.broken {
            writeln!(f, "- {what}")?;
        }
        if let Some(evidence) = &self.evidence {
            let at = evidence.display();
            writeln!(
                f,
                "\nHistory, schedule, the daemon's log and its data lie in {at}"
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn kills(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| killed at ")?;
        for victim in Victim::ALL {
            write!(f, "| {} ", victim.name())?;
        }
        writeln!(f, "|\n|---|---|---|---|---|")?;
        for point in Point::ALL {
            write!(f, "| {} ", point.name())?;
            for victim in Victim::ALL {
                let count = self.deeds.kills.get(&(victim, point)).copied().unwrap_or(0);
                write!(f, "| {count} ")?;
            }
            writeln!(f, "|")?;
        }
        writeln!(f, "\n| other faults | count |\n|---|---|")?;
        counts(f, &self.deeds.others)
    }

    fn seen(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = &self.figures;
        writeln!(f, "\n| seen | count |\n|---|---|")?;
        let mut rows = vec![
            ("submissions, repeats included", figures.submitted),
            ("tasks acknowledged", figures.acknowledged),
        ];
        rows.extend([
            ("repeats that found their task", figures.replayed),
            ("questions left in doubt", figures.in_doubt),
            ("cancels acknowledged", figures.cancels),
            ("tasks parked until somebody cancelled them", figures.parked),
            ("attempts beyond the first", figures.further_attempts),
            ("generations seen at attached engines", figures.generations),
            ("connections of readers", figures.connections),
            ("resumed in the text", figures.resumes),
            ("frames", figures.frames),
            ("readers told that their text differs", figures.diverged),
        ]);
        for (what, count) in rows {
            writeln!(f, "| {what} | {count} |")?;
        }
        writeln!(f, "\n| tasks by end | count |\n|---|---|")?;
        counts(f, &figures.ended)?;
        writeln!(f, "\n| refusals | count |\n|---|---|")?;
        counts(f, &figures.refused)?;
        writeln!(f, "\n| harm | count |\n|---|---|")?;
        for harm in Harm::ALL {
            let count = figures.harms.get(harm.name()).copied().unwrap_or(0);
            writeln!(f, "| {} | {count} |", harm.name())?;
        }
        writeln!(
            f,
            "\n| time | p50 | p99 | most | count |\n|---|---|---|---|---|"
        )?;
        let times = [
            ("start of a daemon to its first request", self.started),
            ("kill of a daemon to the next token", self.resumed),
        ];
        for (what, time) in times {
            let Recovery {
                count,
                p50_ms,
                p99_ms,
                max_ms,
            } = time;
            writeln!(
                f,
                "| {what} | {p50_ms:.0} ms | {p99_ms:.0} ms | {max_ms:.0} ms | {count} |"
            )?;
        }
        Ok(())
    }
}

fn counts(f: &mut fmt::Formatter<'_>, of: &BTreeMap<String, u64>) -> fmt::Result {
    for (what, count) in of {
        writeln!(f, "| {what} | {count} |")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut deeds = Deeds::default();
        deeds.kills.insert((Victim::Daemon, Point::LastToken), 2);
        deeds.kills.insert((Victim::ChildEngine, Point::Anytime), 1);
        deeds.others.insert("client killed".to_owned(), 4);
        let mut figures = Figures {
            acknowledged: 12,
            ..Figures::default()
        };
        figures.ended.insert("completed".to_owned(), 11);
        figures.harms.insert("lost".to_owned(), 1);
        let times = (1..=200).map(Duration::from_millis);
        Report {
            date: "Fri, 20 Nov 2026 12:00:00 GMT".to_owned(),
            seed: 7,
            rounds: 1,
            duration_s: 9.6,
            killed: deeds.killed(),
            deeds,
            figures,
            started: Recovery::of(times.collect()),
            resumed: Recovery::of(Vec::new()),
            broken: vec!["lost (accepted-kept) at 3 ms: it is gone".to_owned()],
            evidence: Some(PathBuf::from("evidence/chaos-seed-7")),
        }
    }

    #[test]
    fn a_person_reads_tables() {
        insta::assert_snapshot!(report());
    }

    #[test]
    fn a_program_reads_json() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["killed"], 3);
        let kill = serde_json::json!({ "victim": "daemon", "point": "last-token", "count": 2 });
        assert_eq!(json["kills"][0], kill);
        assert_eq!(json["figures"]["acknowledged"], 12);
        assert_eq!(json["started"]["p50_ms"], 101.0);
        assert_eq!(json["broken"].as_array().map(Vec::len), Some(1));
    }
}
