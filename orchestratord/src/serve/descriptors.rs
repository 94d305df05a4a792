//! How many files and connections this process may have open, and how many of them go to callers.

use config_schema::Server;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::door::TURNED_AWAY_MAX;

/// Descriptors that are kept for the store, the engines' pipes and the log.
const KEPT: u64 = 256;
/// Descriptors that are kept for the work on one replica: one for each of its slots. How many it has is known
/// only when it is ready, which may be long after the door has opened.
const KEPT_PER_REPLICA: u64 = 64;
/// More are not asked for, however much the operating system allows.
const ASKED_MAX: u64 = 1 << 20;
/// Most connections unless the configuration says otherwise: beyond them their memory begins to count.
const CONNECTIONS_MAX_DEFAULT: u64 = 16_384;
/// Fewer connections than this are a surprise to whoever runs the daemon.
const CONNECTIONS_EXPECTED: u64 = 1_024;

/// Soft limits of open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenFiles {
    /// What this process was given; those that it starts get the same.
    pub(super) at_start: u64,
    /// What this process has.
    pub(super) now: u64,
}

/// Raises the limit of open files as far as it goes without privileges.
pub(super) fn raised() -> OpenFiles {
    let limit = getrlimit(Resource::Nofile);
    let had = limit.current.unwrap_or(ASKED_MAX);
    let as_it_was = OpenFiles {
        at_start: had,
        now: had,
    };
    let wanted = limit.maximum.unwrap_or(ASKED_MAX).min(ASKED_MAX);
    if wanted <= had {
        return as_it_was;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => OpenFiles {
            now: wanted,
            ..as_it_was
        },
        Err(error) => {
            tracing::debug!(%error, had, wanted, "the limit of open files stays as it is");
            as_it_was
        }
    }
}

/// How many connections there may be with so many replicas and descriptors, and what is to be said about it.
pub(super) fn connections(
    server: &Server,
    replicas: u64,
    descriptors: u64,
) -> (usize, Option<String>) {
    let kept = KEPT + TURNED_AWAY_MAX as u64 + replicas.saturating_mul(KEPT_PER_REPLICA);
    let room = descriptors - kept.min(descriptors / 2);
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
        let (connections, concern) = connections(&server, 1, descriptors);
        (connections, concern.is_some())
    }

    #[test]
    fn store_and_engines_keep_their_share_and_a_lack_is_told() {
        assert_eq!(connections_of(None, 1 << 20), (16_384, false));
        assert_eq!(connections_of(None, 4_096), (3_712, false));
        assert_eq!(connections_of(None, 1_024), (640, true));
        assert_eq!(connections_of(None, 100), (50, true));
        assert_eq!(connections_of(Some(100), 1_024), (100, false));
        assert_eq!(connections_of(Some(50_000), 1 << 20), (50_000, false));
        assert_eq!(connections_of(Some(50_000), 20_000), (19_616, true));
    }

    #[test]
    fn each_replica_takes_its_share() {
        let with = |replicas| connections(&Server::default(), replicas, 4_096).0;
        assert_eq!(with(1) - with(9), 512);
        assert_eq!(with(1_000), 2_048, "callers keep half");
    }

    #[test]
    fn what_is_to_be_said_has_figures_and_a_remedy() {
        let (_, concern) = connections(&Server::default(), 1, 1_024);
        insta::assert_snapshot!(concern.unwrap_or_default(), @"the limit of 1024 open files leaves room for 640 connections, not 1024; raise it with `ulimit -n` or LimitNOFILE=");
    }
}
