//! How many files and connections this process may have open, and how many of them go to callers.

use config_schema::Server;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are kept for the store, the engines and the log.
const KEPT: u64 = 256;
/// More are not asked for, however much the operating system allows.
const ASKED_MAX: u64 = 1 << 20;
/// Most connections unless the configuration says otherwise: beyond them their memory begins to count.
const CONNECTIONS_MAX_DEFAULT: u64 = 16_384;
/// Fewer connections than this are a surprise to whoever runs the daemon.
const CONNECTIONS_EXPECTED: u64 = 1_024;

/// Raises the limit of open files as far as it goes without privileges, and says what it is then.
pub(super) fn raised() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let had = limit.current.unwrap_or(ASKED_MAX);
    let wanted = limit.maximum.unwrap_or(ASKED_MAX).min(ASKED_MAX);
    if wanted <= had {
        return had;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::debug!(%error, had, wanted, "the limit of open files stays as it is");
            had
        }
    }
}

/// How many connections there may be with so many descriptors, and what is to be said about it.
pub(super) fn connections(server: &Server, descriptors: u64) -> (usize, Option<String>) {
    let room = descriptors - KEPT.min(descriptors / 2);
    let wanted = server.connections_max.map(u64::from);
    let allowed = wanted.unwrap_or(CONNECTIONS_MAX_DEFAULT).min(room);
    let expected = wanted.unwrap_or(CONNECTIONS_EXPECTED);
    let concern = (allowed < expected).then(|| {
        format!(
            "the limit of {descriptors} open files leaves room for {allowed} connections, not {expected}; \
             raise it with `ulimit -n` or LimitNOFILE="
        )
    });
    (usize::try_from(allowed).unwrap_or(usize::MAX), concern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections_of(connections_max: Option<u32>, descriptors: u64) -> (usize, bool) {
        let server = Server {
            connections_max,
            ..Server::default()
        };
        let (connections, concern) = connections(&server, descriptors);
        (connections, concern.is_some())
    }

    #[test]
    fn store_and_engines_keep_their_share_and_a_lack_is_told() {
        assert_eq!(connections_of(None, 1 << 20), (16_384, false));
        assert_eq!(connections_of(None, 4_096), (3_840, false));
        assert_eq!(connections_of(None, 1_024), (768, true));
        assert_eq!(connections_of(None, 100), (50, true));
        assert_eq!(connections_of(Some(100), 1_024), (100, false));
        assert_eq!(connections_of(Some(50_000), 1 << 20), (50_000, false));
        assert_eq!(connections_of(Some(50_000), 20_000), (19_744, true));
    }

    #[test]
    fn what_is_to_be_said_has_figures_and_a_remedy() {
        let (_, concern) = connections(&Server::default(), 1_024);
        insta::assert_snapshot!(concern.unwrap_or_default(), @"the limit of 1024 open files leaves room for 768 connections, not 1024; raise it with `ulimit -n` or LimitNOFILE=");
    }
}
