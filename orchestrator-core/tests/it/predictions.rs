//! How good the bands around predicted starts are, under steady load.

use orchestrator_core::eta::Predictions;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::TaskSpec;

use crate::rig::{one_pool, spec};
use crate::stage::Stage;

/// Numbers that look drawn.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// How long services are.
#[derive(Clone, Copy, Debug)]
enum Law {
    Equal,
    Uniform,
    Memoryless,
    /// One in ten is ten times as long.
    Mixed,
}

impl Law {
    fn draw(self, dice: &mut Dice) -> u64 {
        let mean = 1_000.0;
        let ms = match self {
            Self::Equal => mean,
            Self::Uniform => mean * (0.5 + dice.unit()),
            Self::Memoryless => dice.exponential(mean),
            Self::Mixed if dice.unit() < 0.1 => dice.exponential(10.0 * mean / 1.9),
            Self::Mixed => dice.exponential(mean / 1.9),
        };
        ms.round().max(1.0) as u64
    }
}

/// What comes, and from whom.
#[derive(Clone, Copy, Debug)]
struct Load {
    law: Law,
    slots: u32,
    /// Share of the capacity that is asked for.
    load: f64,
    tenants: u64,
    /// One task in so many is interactive; none if 0.
    interactive: u64,
    tasks: u128,
}

/// Tasks come at drawn moments and are served for drawn times; what became of the bands by class.
fn steady(seed: u64, load: Load) -> [Predictions; 2] {
    let mut dice = Dice(seed);
    let mut stage = Stage::new(one_pool(1), load.slots);
    let gap = 1_000.0 / load.load / f64::from(load.slots);
    let mut arrival = 0.0;
    let mut leaving: Vec<(u64, u128)> = Vec::new();
    let mut clock = 0;
    let mut task = 0;
    while task < load.tasks || !leaving.is_empty() {
        leaving.sort_unstable();
        let comes = (task < load.tasks).then_some(arrival as u64);
        let next = leaving.first().map(|(at, _)| *at);
        let leaves = next.is_some_and(|at| comes.is_none_or(|comes| at <= comes));
        let at = if leaves { next } else { comes }.expect("something happens");
        stage.pass(at - clock);
        clock = at;
        let started = if leaves {
            let (_, ended) = leaving.remove(0);
            stage.finish(ended, 10)
        } else {
            task += 1;
            arrival += dice.exponential(gap);
            let urgent = load.interactive > 0 && dice.unit() * (load.interactive as f64) < 1.0;
            let priority = if urgent {
                ClassName::INTERACTIVE
            } else {
                ClassName::BATCH
            };
            let tenant = 1 + (dice.unit() * load.tenants as f64) as u128;
            stage.create(tenant, task, TaskSpec { priority, ..spec() })
        };
        for one in started {
            leaving.push((clock + load.law.draw(&mut dice), one));
        }
    }
    [ClassName::INTERACTIVE, ClassName::BATCH]
        .map(|class| stage.machine.predictions(class).unwrap())
}

fn permille(of: Predictions) -> u64 {
    of.inside * 1_000 / (of.early + of.inside + of.late).max(1)
}

#[test]
fn under_steady_load_about_four_starts_of_five_lie_in_their_band() {
    let mut table = String::new();
    let mut bad = Vec::new();
    for law in [Law::Equal, Law::Uniform, Law::Memoryless, Law::Mixed] {
        for (slots, share, tenants, interactive) in [
            (1, 0.8, 1, 0),
            (1, 0.95, 1, 0),
            (4, 0.9, 1, 0),
            (4, 0.9, 4, 3),
            (16, 0.95, 1, 0),
        ] {
            let load = Load {
                law,
                slots,
                load: share,
                tenants,
                interactive,
                tasks: 4_000,
            };
            for (class, of) in ["interactive", "batch"].into_iter().zip(steady(7, load)) {
                let judged = of.early + of.inside + of.late;
                if judged < 300 {
                    continue;
                }
                table += &format!(
                    "{law:?}, {slots} slots, load {share}, {tenants} tenants, {class}: {} of {judged} inside, {} early, {} late\n",
                    of.inside, of.early, of.late
                );
                if !(700..=900).contains(&permille(of)) {
                    bad.push(format!("{load:?} {class}: {of:?}"));
                }
            }
        }
    }
    println!("{table}");
    assert!(bad.is_empty(), "{table}\n{bad:#?}");
}
