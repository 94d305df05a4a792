//! Processor time of this process and of every child that has ended.

use std::fs;
use std::time::Duration;

/// Ticks a second in `/proc`; the kernel fixes it at 100 for user space on every platform we build on.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time used so far, children included; `None` where there is no `/proc`.
pub(super) fn used() -> Option<Duration> {
    total(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The sum of `utime`, `stime`, `cutime` and `cstime`, fields 14 to 17 of the stat line.
fn total(stat: &str) -> Option<Duration> {
    // Field 2 is the program's name in parentheses and may hold spaces; field 3 follows the last one.
    let (_, after_name) = stat.rsplit_once(')')?;
    let times: Vec<u64> = after_name
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    (times.len() == 4)
        .then(|| Duration::from_millis(times.iter().sum::<u64>() * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_fields_are_added() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 200 0 0 150 50 1000 25 20 0 1 0 99 1 1";
        assert_eq!(total(stat), Some(Duration::from_millis(12_250)));
        assert_eq!(total("7 (x) S 1 7"), None);
        assert_eq!(total(""), None);
    }
}
