//! The schedule of faults, drawn before the first of them.

use std::fmt;

use serde::Serialize;

use crate::dice::Dice;
use crate::point::Point;

/// Who is struck by a kill or a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Victim {
    /// The daemon.
    Daemon,
    /// The daemon, and an attached engine at the same moment.
    DaemonAndEngine,
    /// An engine that the daemon has started.
    ChildEngine,
    /// An engine that somebody else runs.
    AttachedEngine,
}

impl Victim {
    /// Every victim.
    pub const ALL: [Self; 4] = [
        Self::Daemon,
        Self::DaemonAndEngine,
        Self::ChildEngine,
        Self::AttachedEngine,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::DaemonAndEngine => "daemon and engine",
            Self::ChildEngine => "engine (child)",
            Self::AttachedEngine => "engine (attached)",
        }
    }
}

/// Which link is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cable {
    /// From clients to the daemon.
    Clients,
    /// From the daemon to an attached engine.
    Engine,
}

/// How a link is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    /// Every connection is reset.
    Cut,
    /// Every connection is closed in order, in the middle of what it carries.
    Close,
    /// What the server sends ends in order; what the client sends goes on.
    HalfClose,
    /// Nothing passes for a while.
    Stall,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// A process is killed.
    Kill(Victim),
    /// A client is, with its connections.
    KillClient,
    /// A process stands still for so many milliseconds.
    Pause(Victim, u64),
    /// Another daemon is started on the data of the one that runs.
    Rival,
    /// A link is broken; a stall lasts so many milliseconds.
    Sever(Cable, Break, u64),
    /// The daemon is asked to end, and started again.
    Terminate,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Strike {
    /// Milliseconds of peace before it is aimed.
    pub after_ms: u64,
    /// The moment that it waits for.
    pub point: Point,
    /// How many such moments it lets pass first.
    pub skip: u64,
    /// What it does.
    pub deed: Deed,
    /// Milliseconds for which a killed daemon or attached engine stays dead.
    pub down_ms: u64,
    /// Each start of the daemon after it is killed once more, after so many milliseconds.
    pub again_ms: Vec<u64>,
}

impl Strike {
    /// Draws the next one.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let deed = draw_deed(dice);
        let point = dice.weighed(&[
            (Point::Submitting, 8),
            (Point::Accepted, 12),
            (Point::Started, 10),
            (Point::FirstToken, 12),
            (Point::MidStream, 14),
            (Point::LastToken, 14),
            (Point::Ended, 8),
            (Point::Cancelling, 6),
            (Point::Cancelled, 6),
            (Point::Anytime, 10),
        ]);
        let skip = match point {
            Point::MidStream => dice.range(0, 40),
            Point::Anytime => 0,
            _ => dice.range(0, 3),
        };
        let kills_daemon = matches!(deed, Deed::Kill(Victim::Daemon | Victim::DaemonAndEngine));
        let mut again_ms = Vec::new();
        while kills_daemon && again_ms.len() < 3 && dice.percent(25) {
            again_ms.push(dice.range(1, 250));
        }
        Self {
            after_ms: dice.range(0, 500),
            point,
            skip,
            deed,
            down_ms: if dice.percent(70) {
                0
            } else {
                dice.range(50, 400)
            },
            again_ms,
        }
    }

    /// Processes that it kills, clients apart: a daemon and an engine at one moment are one kill.
    #[must_use]
    pub fn kills(&self) -> u64 {
        match self.deed {
            Deed::Kill(_) => 1 + self.again_ms.len() as u64,
            Deed::KillClient
            | Deed::Pause(..)
            | Deed::Rival
            | Deed::Sever(..)
            | Deed::Terminate => 0,
        }
    }
}

fn draw_deed(dice: &mut Dice) -> Deed {
    let victim = |dice: &mut Dice| {
        dice.weighed(&[
            (Victim::Daemon, 55),
            (Victim::DaemonAndEngine, 12),
            (Victim::ChildEngine, 18),
            (Victim::AttachedEngine, 15),
        ])
    };
    match dice.range(1, 100) {
        1..=66 => Deed::Kill(victim(dice)),
        67..=73 => Deed::KillClient,
        74..=75 => Deed::Rival,
        76..=79 => Deed::Terminate,
        80..=87 => {
            let who = dice.pick(&[Victim::Daemon, Victim::ChildEngine, Victim::AttachedEngine]);
            Deed::Pause(who, dice.range(50, 1_500))
        }
        _ => {
            let cable = dice.pick(&[Cable::Clients, Cable::Clients, Cable::Engine]);
            let how = dice.pick(&[Break::Cut, Break::Close, Break::HalfClose, Break::Stall]);
            Deed::Sever(cable, how, dice.range(50, 2_000))
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.deed {
            Deed::Kill(victim) => write!(f, "kill {}", victim.name())?,
            Deed::KillClient => write!(f, "kill a client")?,
            Deed::Pause(victim, ms) => write!(f, "stop {} for {ms} ms", victim.name())?,
            Deed::Rival => write!(f, "start another daemon on the same data")?,
            Deed::Terminate => write!(f, "ask the daemon to end")?,
            Deed::Sever(cable, how, ms) => {
                let cable = match cable {
                    Cable::Clients => "clients and daemon",
                    Cable::Engine => "daemon and attached engine",
                };
                match how {
                    Break::Cut => write!(f, "reset every connection between {cable}")?,
                    Break::Close => write!(f, "close every connection between {cable}")?,
                    Break::HalfClose => write!(f, "half-close every connection between {cable}")?,
                    Break::Stall => write!(f, "stall {cable} for {ms} ms")?,
                }
            }
        }
        write!(f, " at {}", self.point.name())?;
        match self.skip {
            0 => {}
            skip => write!(f, ", {skip} later")?,
        }
        for after in &self.again_ms {
            write!(f, ", and its successor after {after} ms")?;
        }
        Ok(())
    }
}

/// The faults of one round, with at least so many kills.
pub(crate) fn schedule(dice: &mut Dice, kills: u64) -> Vec<Strike> {
    let mut strikes = Vec::new();
    let mut drawn = 0;
    while drawn < kills {
        let strike = Strike::draw(dice);
        drawn += strike.kills();
        strikes.push(strike);
    }
    strikes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_one_schedule_with_enough_kills() {
        let draw = |seed| schedule(&mut Dice::new(seed, "faults"), 50);
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        let kills: u64 = draw(3).iter().map(Strike::kills).sum();
        assert!((50..54).contains(&kills), "{kills}");
    }

    #[test]
    fn a_long_schedule_has_every_fault_at_every_point() {
        let strikes = schedule(&mut Dice::new(1, "faults"), 500);
        let has = |deed: &dyn Fn(&Deed) -> bool| strikes.iter().any(|strike| deed(&strike.deed));
        for victim in Victim::ALL {
            assert!(has(&|deed| *deed == Deed::Kill(victim)), "{victim:?}");
        }
        for deed in [Deed::KillClient, Deed::Rival, Deed::Terminate] {
            assert!(has(&|has| *has == deed), "{deed:?}");
        }
        for cable in [Cable::Clients, Cable::Engine] {
            for how in [Break::Cut, Break::Close, Break::HalfClose, Break::Stall] {
                let same =
                    |deed: &Deed| matches!(deed, Deed::Sever(c, h, _) if (*c, *h) == (cable, how));
                assert!(has(&same), "{cable:?} {how:?}");
            }
        }
        // These two come by killing a daemon again that has just been started.
        let of_itself = [Point::Recovering, Point::Recovered];
        for point in Point::ALL.into_iter().filter(|it| !of_itself.contains(it)) {
            let killed = |strike: &Strike| {
                strike.point == point && matches!(strike.deed, Deed::Kill(Victim::Daemon))
            };
            assert!(strikes.iter().any(killed), "{point:?}");
        }
        assert!(strikes.iter().any(|strike| strike.again_ms.len() > 1));
    }
}
