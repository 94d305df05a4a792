//! What can go wrong.

use std::fmt;

use crate::agenda::{MILLI, Micros};

/// Where a daemon is when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Wherever it is at that moment.
    Now,
    /// It has just handed a commit to the store.
    CommitSent,
    /// The store has just applied a commit; its answer is on the way.
    CommitApplied,
    /// It has let out so many things of a batch, and not the rest.
    Releasing(u32),
    /// It has just loaded, and done nothing.
    Loaded,
}

/// What becomes of a commit whose outcome the store cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateCommit {
    /// It is applied at once.
    Applied,
    /// It is lost.
    Lost,
    /// It reaches the store only after so many microseconds, when the owner may have probed.
    Late(Micros),
}

/// One thing that goes wrong. Numbers name daemons, replicas and pools by their place in the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A daemon is killed, and started again after a while.
    DaemonCrash {
        /// Which.
        daemon: usize,
        /// Where.
        point: CrashPoint,
        /// How long it is gone.
        down: Micros,
    },
    /// A daemon's process is stopped for a while.
    DaemonPause {
        /// Which.
        daemon: usize,
        /// How long.
        span: Micros,
    },
    /// The store is given to a daemon, whoever holds it; that one may believe for a while that it still does.
    Takeover {
        /// To which.
        daemon: usize,
        /// How long the other believes it at most.
        belief: Micros,
    },
    /// A wall clock jumps.
    WallJump {
        /// Whose.
        daemon: usize,
        /// How far, in milliseconds.
        ms: i64,
    },
    /// Nothing passes between a daemon and the clients.
    CutClients {
        /// Which.
        daemon: usize,
        /// How long.
        span: Micros,
        /// True if the connections break; else messages wait.
        breaks: bool,
    },
    /// Nothing passes between a daemon and the store.
    CutStore {
        /// Which.
        daemon: usize,
        /// How long.
        span: Micros,
        /// True if the connection breaks; else messages wait.
        breaks: bool,
    },
    /// Nothing passes between a daemon and an engine.
    CutEngine {
        /// Which daemon.
        daemon: usize,
        /// Which replica.
        replica: usize,
        /// How long.
        span: Micros,
    },
    /// The next commits are not applied, and the store says so.
    StoreBusy {
        /// How many.
        times: u32,
    },
    /// The store takes this much longer for everything.
    StoreSlow {
        /// How much.
        by: Micros,
        /// How long.
        span: Micros,
    },
    /// The outcome of the next commit is unknown.
    StoreUnknown {
        /// What becomes of it.
        fate: LateCommit,
    },
    /// The next probes cannot tell.
    StoreProbesFail {
        /// How many.
        times: u32,
    },
    /// The next loads fail.
    StoreLoadsFail {
        /// How many.
        times: u32,
    },
    /// The next look-ups of what has ended fail.
    StorePrefetchesFail {
        /// How many.
        times: u32,
    },
    /// Readers cannot read the store.
    StoreReadsFail {
        /// How long.
        span: Micros,
    },
    /// An engine process is killed, and started again after a while.
    EngineKill {
        /// Which replica.
        replica: usize,
        /// How long it is gone.
        down: Micros,
    },
    /// An engine is silent.
    EngineHang {
        /// Which replica.
        replica: usize,
        /// How long.
        span: Micros,
    },
    /// An engine is this many times slower.
    EngineSlow {
        /// Which replica.
        replica: usize,
        /// How many times.
        factor: u64,
        /// How long.
        span: Micros,
    },
    /// An engine breaks every generation off.
    EngineReset {
        /// Which replica.
        replica: usize,
    },
    /// An engine generates another text than it should: what begins while it does.
    EngineWrong {
        /// Which replica.
        replica: usize,
        /// How long.
        span: Micros,
    },
    /// An engine ends texts early: those that begin while it does.
    EngineShort {
        /// Which replica.
        replica: usize,
        /// How long.
        span: Micros,
    },
    /// An engine refuses every request, for good or because of the context.
    EngineRefuses {
        /// Which replica.
        replica: usize,
        /// True if it says that the context is exceeded.
        context: bool,
        /// How long.
        span: Micros,
    },
    /// An engine is replaced by another version, which writes other texts.
    EngineUpgrade {
        /// Which replica.
        replica: usize,
    },
    /// A pool's supervisor gives up; its engines are gone until a person has looked.
    PoolGivesUp {
        /// Which pool.
        pool: usize,
        /// How long.
        span: Micros,
    },
}

impl Fault {
    /// Its kind, as coverage counts it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::DaemonCrash { point, .. } => match point {
                CrashPoint::Now => "daemon crash: anywhere",
                CrashPoint::CommitSent => "daemon crash: commit sent",
                CrashPoint::CommitApplied => "daemon crash: commit applied",
                CrashPoint::Releasing(_) => "daemon crash: amid release",
                CrashPoint::Loaded => "daemon crash: just loaded",
            },
            Self::DaemonPause { .. } => "daemon pause",
            Self::Takeover { .. } => "takeover",
            Self::WallJump { .. } => "wall clock jumps",
            Self::CutClients { breaks: true, .. } => "clients cut off: connections break",
            Self::CutClients { .. } => "clients cut off: messages wait",
            Self::CutStore { breaks: true, .. } => "store cut off: connection breaks",
            Self::CutStore { .. } => "store cut off: messages wait",
            Self::CutEngine { .. } => "engine cut off",
            Self::StoreBusy { .. } => "store busy",
            Self::StoreSlow { .. } => "store slow",
            Self::StoreUnknown { fate } => match fate {
                LateCommit::Applied => "outcome unknown: applied",
                LateCommit::Lost => "outcome unknown: lost",
                LateCommit::Late(_) => "outcome unknown: late",
            },
            Self::StoreProbesFail { .. } => "probes fail",
            Self::StoreLoadsFail { .. } => "loads fail",
            Self::StorePrefetchesFail { .. } => "prefetches fail",
            Self::StoreReadsFail { .. } => "reads fail",
            Self::EngineKill { .. } => "engine killed",
            Self::EngineHang { .. } => "engine hangs",
            Self::EngineSlow { .. } => "engine slow",
            Self::EngineReset { .. } => "engine resets",
            Self::EngineWrong { .. } => "engine writes wrong text",
            Self::EngineShort { .. } => "engine ends early",
            Self::EngineRefuses { context: true, .. } => "engine refuses: context",
            Self::EngineRefuses { .. } => "engine refuses: for good",
            Self::EngineUpgrade { .. } => "engine upgraded",
            Self::PoolGivesUp { .. } => "pool gives up",
        }
    }

    /// Every kind.
    pub const KINDS: [&'static str; 32] = [
        "clients cut off: connections break",
        "clients cut off: messages wait",
        "daemon crash: amid release",
        "daemon crash: anywhere",
        "daemon crash: commit applied",
        "daemon crash: commit sent",
        "daemon crash: just loaded",
        "daemon pause",
        "engine cut off",
        "engine ends early",
        "engine hangs",
        "engine killed",
        "engine refuses: context",
        "engine refuses: for good",
        "engine resets",
        "engine slow",
        "engine upgraded",
        "engine writes wrong text",
        "loads fail",
        "outcome unknown: applied",
        "outcome unknown: late",
        "outcome unknown: lost",
        "pool gives up",
        "prefetches fail",
        "probes fail",
        "reads fail",
        "store busy",
        "store cut off: connection breaks",
        "store cut off: messages wait",
        "store slow",
        "takeover",
        "wall clock jumps",
    ];

    /// How long it lasts, if it ends by itself.
    #[must_use]
    pub const fn span(&self) -> Option<Micros> {
        match *self {
            Self::DaemonPause { span, .. }
            | Self::CutClients { span, .. }
            | Self::CutStore { span, .. }
            | Self::CutEngine { span, .. }
            | Self::StoreSlow { span, .. }
            | Self::StoreReadsFail { span }
            | Self::EngineHang { span, .. }
            | Self::EngineSlow { span, .. }
            | Self::EngineWrong { span, .. }
            | Self::EngineShort { span, .. }
            | Self::EngineRefuses { span, .. }
            | Self::PoolGivesUp { span, .. } => Some(span),
            Self::EngineKill { down, .. } => Some(down),
            _ => None,
        }
    }
}

/// The letter of a daemon, as stories name it.
#[must_use]
pub fn letter(daemon: usize) -> char {
    char::from(b'A' + u8::try_from(daemon % 26).unwrap_or(0))
}

struct Span(Micros);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "for {} ms", self.0 / MILLI)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        match *self {
            Self::DaemonCrash { daemon, down, .. } => {
                write!(f, " (daemon {}, gone {})", letter(daemon), Span(down))
            }
            Self::DaemonPause { daemon, span } => {
                write!(f, " (daemon {}, {})", letter(daemon), Span(span))
            }
            Self::Takeover { daemon, belief } => {
                write!(
                    f,
                    " (by daemon {}; the other believes {})",
                    letter(daemon),
                    Span(belief)
                )
            }
            Self::WallJump { daemon, ms } => write!(f, " ({ms} ms, daemon {})", letter(daemon)),
            Self::CutClients { daemon, span, .. } | Self::CutStore { daemon, span, .. } => {
                write!(f, " (daemon {}, {})", letter(daemon), Span(span))
            }
            Self::CutEngine {
                daemon,
                replica,
                span,
            } => {
                write!(
                    f,
                    " (daemon {}, replica {replica}, {})",
                    letter(daemon),
                    Span(span)
                )
            }
            Self::StoreBusy { times }
            | Self::StoreProbesFail { times }
            | Self::StoreLoadsFail { times }
            | Self::StorePrefetchesFail { times } => write!(f, " ({times} times)"),
            Self::StoreSlow { by, span } => write!(f, " (by {} ms, {})", by / MILLI, Span(span)),
            Self::StoreUnknown {
                fate: LateCommit::Late(by),
            } => write!(f, " (by {} ms)", by / MILLI),
            Self::StoreUnknown { .. } => Ok(()),
            Self::StoreReadsFail { span } => write!(f, " ({})", Span(span)),
            Self::EngineKill { replica, down } => {
                write!(f, " (replica {replica}, gone {})", Span(down))
            }
            Self::EngineHang { replica, span }
            | Self::EngineWrong { replica, span }
            | Self::EngineShort { replica, span }
            | Self::EngineRefuses { replica, span, .. } => {
                write!(f, " (replica {replica}, {})", Span(span))
            }
            Self::EngineSlow {
                replica,
                factor,
                span,
            } => {
                write!(f, " (replica {replica}, {factor} times, {})", Span(span))
            }
            Self::EngineReset { replica } | Self::EngineUpgrade { replica } => {
                write!(f, " (replica {replica})")
            }
            Self::PoolGivesUp { pool, span } => write!(f, " (pool {pool}, {})", Span(span)),
        }
    }
}
