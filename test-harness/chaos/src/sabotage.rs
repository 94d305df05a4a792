//! Faults that no deployment may survive unseen: proof that a run would see the real ones.

use clap::ValueEnum;

/// Something that is wrong with the world itself. A run with one must find something broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sabotage {
    /// The disk forgets: while the daemon is dead its data are put back to what they were when it was killed
    /// before.
    ForgetfulDisk,
    /// The wire lies: one token is replaced by another on its way to a reader.
    LyingWire,
}
