//! Whether a model fits into this machine's memory.

use std::fs;

/// What the process needs besides weights and context, generously: the vocabulary, the buffers of a
/// pass, the server.
const BESIDES: u64 = 64 << 20;

/// What a model takes, in bytes, once it is loaded and its context is full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Need {
    pub(crate) weights: u64,
    /// Bytes of the context per token.
    pub(crate) per_token: u64,
    pub(crate) n_ctx: usize,
}

impl Need {
    fn context(self) -> u64 {
        self.per_token.saturating_mul(self.n_ctx as u64)
    }

    /// Why it does not fit into so many bytes, and what would. `None` if it fits.
    pub(crate) fn refusal(self, available: u64) -> Option<String> {
        let all = self
            .weights
            .saturating_add(self.context())
            .saturating_add(BESIDES);
        if all <= available {
            return None;
        }
        let left = available
            .saturating_sub(self.weights)
            .saturating_sub(BESIDES);
        let remedy = match left / self.per_token.max(1) {
            tokens @ 256.. => format!("choose at most {tokens} tokens with --ctx-size"),
            _ => "free some memory, or take a smaller model or quantisation".to_owned(),
        };
        Some(format!(
            "it needs {} of memory ({} for the weights, {} for a context of {} tokens), and {} are \
             available; {remedy}",
            shown(all),
            shown(self.weights),
            shown(self.context()),
            self.n_ctx,
            shown(available),
        ))
    }
}

/// Bytes for a person.
fn shown(bytes: u64) -> String {
    const MB: u64 = 1_000_000;
    match bytes {
        10_000_000_000.. => format!("{} GB", bytes / (1000 * MB)),
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / (1000 * MB) as f64),
        _ => format!("{} MB", bytes.div_ceil(MB)),
    }
}

/// Bytes that this process may still take without pushing others out. `None` where the system does not
/// say.
pub(crate) fn available() -> Option<u64> {
    let free = meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
    Some(match group() {
        Some(left) => free.min(left),
        None => free,
    })
}

/// What `/proc/meminfo` says is available.
fn meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// What the limit of this process's control group leaves, as a container sees it. Files that were read count as used
/// there, a model that was just copied in among them, and give way when memory is needed.
fn group() -> Option<u64> {
    let text = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    let number = |name: &str| -> Option<u64> { text(name)?.trim().parse().ok() };
    let used = number("memory.current")?.saturating_sub(files(&text("memory.stat")?));
    Some(number("memory.max")?.saturating_sub(used))
}

/// Bytes of files that a control group holds in memory and could drop, from its `memory.stat`.
fn files(stat: &str) -> u64 {
    let fields = stat.lines().filter_map(|line| line.split_once(' '));
    fields
        .filter(|(name, _)| matches!(*name, "active_file" | "inactive_file"))
        .filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{BESIDES, Need, files, meminfo};

    const MODEL: Need = Need {
        weights: 1_000_000_000,
        per_token: 32_768,
        n_ctx: 131_072,
    };

    #[test]
    fn what_fits_is_not_refused() {
        let all = MODEL.weights + MODEL.context() + BESIDES;
        assert_eq!(MODEL.refusal(all), None);
        assert!(MODEL.refusal(all - 1).is_some());
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let refusals = [4_000_000_000, 1_000_000_000, 500_000_000]
            .map(|available| MODEL.refusal(available).unwrap_or_default());
        insta::assert_snapshot!(refusals.join("\n"));
    }

    #[test]
    fn files_in_memory_are_counted_as_free() {
        let stat = "anon 10\nfile 700\ninactive_anon 5\nactive_anon 5\ninactive_file 300\nactive_file 400\n";
        assert_eq!(files(stat), 700);
        assert_eq!(files("anon 10\n"), 0);
    }

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        let text = "MemTotal:       24689764 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(meminfo(text), Some(20_480_000_000));
        assert_eq!(meminfo("MemTotal: 1 kB\n"), None);
    }
}
