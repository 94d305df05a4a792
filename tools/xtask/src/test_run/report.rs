//! The table at the end: what each step cost, dearest first.

use std::time::Duration;

use super::slowest::TestTime;

/// Processor seconds that a cold run may take in all.
const BUDGET: Duration = Duration::from_secs(2_500);

/// What one step took.
pub(super) struct Cost {
    pub(super) name: &'static str,
    pub(super) wall: Duration,
    /// Unknown where the system does not tell.
    pub(super) cpu: Option<Duration>,
}

/// The whole table, steps by wall time, then the slowest tests.
pub(super) fn table(costs: &[Cost], tests: &[TestTime]) -> String {
    let mut sorted: Vec<&Cost> = costs.iter().collect();
    sorted.sort_by_key(|cost| std::cmp::Reverse(cost.wall));
    let mut text = format!("{:>10} {:>10}  step\n", "wall", "CPU");
    for cost in &sorted {
        text.push_str(&row(cost.wall, cost.cpu, cost.name));
    }
    let wall = costs.iter().map(|cost| cost.wall).sum();
    let cpu: Option<Duration> = costs.iter().map(|cost| cost.cpu).sum();
    text.push_str(&row(wall, cpu, "all of them"));
    if let Some(over) = cpu
        .and_then(|cpu| cpu.checked_sub(BUDGET))
        .filter(|d| !d.is_zero())
    {
        text.push_str(&format!(
            "{} CPU-seconds above the budget of {} for a cold run\n",
            over.as_secs(),
            BUDGET.as_secs()
        ));
    }
    if !tests.is_empty() {
        text.push_str("\nslowest tests\n");
        for test in tests {
            text.push_str(&row(test.time, None, &test.name));
        }
    }
    text
}

fn row(wall: Duration, cpu: Option<Duration>, name: &str) -> String {
    let cpu = cpu.map(seconds).unwrap_or_default();
    format!("{:>10} {cpu:>10}  {name}\n", seconds(wall))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(name: &'static str, wall: u64, cpu: Option<u64>) -> Cost {
        Cost {
            name,
            wall: Duration::from_secs(wall),
            cpu: cpu.map(Duration::from_secs),
        }
    }

    #[test]
    fn steps_are_sorted_by_time_and_added_up() {
        let tests = [TestTime {
            name: "store kill".to_owned(),
            time: Duration::from_millis(1_250),
        }];
        let table = table(
            &[cost("fmt", 1, Some(2)), cost("tests", 30, Some(55))],
            &tests,
        );
        assert_eq!(
            table,
            "      wall        CPU  step
    30.0 s     55.0 s  tests
     1.0 s      2.0 s  fmt
    31.0 s     57.0 s  all of them

slowest tests
     1.2 s             store kill
"
        );
    }

    #[test]
    fn a_dear_run_says_so_and_an_unknown_cost_is_left_blank() {
        assert!(
            table(&[cost("tests", 9, Some(2_600))], &[])
                .contains("100 CPU-seconds above the budget")
        );
        let blank = table(&[cost("tests", 9, None)], &[]);
        assert!(blank.contains("     9.0 s             tests\n"), "{blank}");
        assert!(!blank.contains("budget"));
    }
}
