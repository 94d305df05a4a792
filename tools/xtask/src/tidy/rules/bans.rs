//! Which calls are banned where, and what takes their place.

/// Where a ban holds.
pub(super) enum Scope {
    /// In the machine, tests apart.
    Core,
    /// In all code but tests.
    Code,
    /// In tests only.
    Tests,
}

/// A ban on paths.
pub(super) struct Ban {
    pub(super) scope: Scope,
    /// The kind under which the table may allow it, if it may.
    pub(super) kind: Option<&'static str>,
    /// `a::b` matches wherever these segments follow one another; `::a` matches the crate `a`; `a!` a macro.
    pub(super) patterns: &'static [&'static str],
    pub(super) what: &'static str,
    pub(super) instead: &'static str,
}

/// Every ban.
pub(super) const BANS: &[Ban] = &[
    Ban {
        scope: Scope::Core,
        kind: None,
        patterns: &[
            "Instant::now",
            "SystemTime::now",
            "std::time::Instant",
            "std::time::SystemTime",
            "time::Instant",
            "time::SystemTime",
            "::chrono",
            "::jiff",
        ],
        what: "reads a clock in the machine",
        instead: "take `now` as an argument",
    },
    Ban {
        scope: Scope::Core,
        kind: None,
        patterns: &[
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "std::os",
            "std::io",
        ],
        what: "reaches the world from the machine",
        instead: "return an effect and let the shell perform it",
    },
    Ban {
        scope: Scope::Core,
        kind: None,
        patterns: &[
            "std::thread",
            "::tokio",
            "::futures_util",
            "::crossbeam_channel",
        ],
        what: "starts or waits for concurrency in the machine",
        instead: "return an effect; the machine is stepped by one thread",
    },
    Ban {
        scope: Scope::Core,
        kind: None,
        patterns: &[
            "::rand",
            "::getrandom",
            "::fastrand",
            "Uuid::new_v4",
            "Uuid::now_v7",
            "RandomState",
        ],
        what: "draws chance in the machine",
        instead: "take entropy as an argument, one named stream for each purpose",
    },
    Ban {
        scope: Scope::Core,
        kind: None,
        patterns: &[
            "::serde",
            "::serde_json",
            "::schemars",
            "::axum",
            "::sqlx",
            "::rusqlite",
        ],
        what: "knows a wire or a store in the machine",
        instead: "convert at the edge: wire types in orchestratord/src/http/convert/, rows in store/",
    },
    Ban {
        scope: Scope::Core,
        kind: None,
        patterns: &[
            "print!",
            "println!",
            "eprint!",
            "eprintln!",
            "::tracing",
            "::log",
        ],
        what: "prints or logs in the machine",
        instead: "return the fact as a mutation, an effect or a reason",
    },
    Ban {
        scope: Scope::Core,
        kind: Some("hash"),
        patterns: &["HashMap", "HashSet"],
        what: "iterates in an order that differs from run to run",
        instead: "use BTreeMap or BTreeSet, or a hasher that is fixed by the caller",
    },
    Ban {
        scope: Scope::Code,
        kind: Some("spawn"),
        patterns: &[
            "tokio::spawn",
            "task::spawn",
            "task::spawn_local",
            "spawn_blocking",
            "JoinSet",
            "TaskTracker",
            "thread::spawn",
            "thread::Builder",
        ],
        what: "starts a thread or task outside the known drivers",
        instead: "let a driver start it, or put this file into tools/xtask/allowed-calls.txt",
    },
    Ban {
        scope: Scope::Code,
        kind: None,
        patterns: &["print!", "println!"],
        what: "panics once the reader of standard output has gone away",
        instead: "write with `writeln!` and take a broken pipe for what it is; programs of the harness have `say`",
    },
    Ban {
        scope: Scope::Tests,
        kind: Some("sleep"),
        patterns: &["thread::sleep", "time::sleep"],
        what: "a test sleeps",
        instead: "wait for a signal, or pause the clock and advance it",
    },
];
