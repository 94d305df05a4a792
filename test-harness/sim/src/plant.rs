//! Bugs, planted on purpose at the simulator's own seams, to prove that the checkers see. Nothing of this is in
//! the product.

use std::fmt;
use std::str::FromStr;

macro_rules! plants {
    ($($(#[$doc:meta])* $plant:ident, $name:literal, $breaks:literal;)*) => {
        /// One planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Plant {
            $($(#[$doc])* $plant,)*
        }

        impl Plant {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$plant),*];

            /// Its name on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$plant => $name,)*
                }
            }

            /// What it breaks, in words.
            #[must_use]
            pub const fn breaks(self) -> &'static str {
                match self {
                    $(Self::$plant => $breaks,)*
                }
            }
        }
    };
}

plants! {
    /// At the host.
    AgeingOff, "ageing-off", "the machine is told of an ageing bound that no task ever reaches";
    /// At the host.
    AnswersSwapped, "answers-swapped", "two answers of one round go to each other's callers";
    /// At the host.
    AttemptIdsRepeat, "attempt-ids-repeat", "every process of a daemon begins with the same entropy, and its wall clock stands still";
    /// At the host.
    BatchCutShort, "batch-cut-short", "the last task of a batch is answered as accepted, and handed to nobody";
    /// At the host.
    BatchSplit, "batch-split", "the second half of a batch is taken in by itself";
    /// At the host.
    BelievesItOwns, "believes-it-owns", "an owner that was fenced takes the refusal for success and goes on";
    /// At the host.
    CancelAnsweredEarly, "cancel-answered-early", "a cancel is acknowledged before anything is durable";
    /// At the store.
    ChunkDoubled, "chunk-doubled", "the store gives a text back with its last token twice";
    /// At the store.
    ChunkSkipped, "chunk-skipped", "the store gives a text back without its last token";
    /// At the host.
    ClockAhead, "clock-ahead", "the machine is told a wall clock that is a minute ahead of the host's";
    /// At the host.
    ColdLookupSkipped, "cold-lookup-skipped", "nobody looks whether an ended task has the id of a new one";
    /// At the store.
    FenceSkipped, "fence-skipped", "the store takes commits of any epoch";
    /// At the host.
    KeysDropped, "keys-dropped", "the idempotency key of a request does not reach the machine";
    /// At the store.
    LoadOfYesterday, "load-of-yesterday", "a load misses the newest commit";
    /// At the host.
    ModelRunEndless, "model-run-endless", "the machine is told that a model may go on out of order for as long as it likes";
    /// At the host.
    ModelsAtOnce, "models-at-once", "the machine is told that each replica has a process to itself";
    /// At the host.
    OrdersDropped, "orders-dropped", "what a recovery orders again is not carried out";
    /// At the store.
    ProbeFencesNothing, "probe-fences-nothing", "a probe begins no term, so that a late commit still lands";
    /// At the store.
    RefundTwice, "refund-twice", "the tokens that a task did not use are taken off what was used, although they never were in it";
    /// At the host.
    ReleasesEarly, "releases-early", "answers and effects leave before their commit is durable";
    /// At the host.
    ResumesUnchecked, "resumes-unchecked", "a reader that comes back is believed, whatever hash it brings";
    /// At the host.
    SlotsOverstated, "slots-overstated", "a replica is told to have one slot more than it has";
    /// At the runner.
    StartsTwice, "starts-twice", "an attempt that is ordered again runs a second time";
    /// At the runner.
    StopsUnheard, "stops-unheard", "an order to stop an attempt is not carried out";
    /// At the host.
    TerminalDropped, "terminal-dropped", "the end of a task is not told to its readers";
    /// At the host.
    TerminalDoubled, "terminal-doubled", "readers are given the terminal frame twice";
    /// At the host.
    TokensMeteredTwice, "tokens-metered-twice", "tokens are metered with their chunks and again at the end";
    /// At the store.
    TornCommit, "torn-commit", "half of a commit is applied when its client dies";
    /// At the store.
    TurnCountedTwice, "turn-counted-twice", "a session's turn is written down twice";
    /// At the host.
    UnknownTakenForNo, "unknown-taken-for-no", "an unknown outcome is taken for one that was not applied";
    /// At the host.
    WakeUpsLost, "wake-ups-lost", "nobody comes back when the owner asks to be woken";
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|plant| plant.name() == name)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|plant| plant.name()).collect();
                format!(
                    "there is no planted bug `{name}`; there are {}",
                    names.join(", ")
                )
            })
    }
}
