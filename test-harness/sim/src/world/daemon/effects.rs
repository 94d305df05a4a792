//! Carries out what the machine wants done, once it is durable.

use orchestrator_core::effect::Effect;
use orchestratord::run::roster::Deed;

use super::host::Host;
use crate::checkers::Sight;
use crate::plan::letter;
use crate::plant::Plant;
use crate::story::Name;
use crate::world::World;

impl World {
    pub(super) fn carry_out(&mut self, host: &mut Host, effect: Effect) {
        self.coverage.effect(&effect);
        self.see(&Sight::Effect {
            daemon: host.daemon,
            life: host.life,
            effect: &effect,
        });
        if self.plant == Some(Plant::OrdersDropped) && host.recovering {
            return;
        }
        self.say_effect(host, &effect);
        let unheard = matches!(
            (self.plant, &effect),
            (Some(Plant::StopsUnheard), Effect::AttemptCancel { .. })
                | (Some(Plant::TerminalDropped), Effect::TaskEnded { .. })
        );
        if unheard {
            return;
        }
        if let (Some(Plant::StartsTwice), Effect::AttemptStart(order)) = (self.plant, &effect) {
            host.roster.over(order.attempt);
        }
        match host.roster.carry_out(effect) {
            None => {}
            Some(Deed::Follow { order, stream }) => self.follow(host, *order, stream),
            Some(Deed::ReportLost { attempt, report }) => {
                let (report, text) = report.into_report(attempt);
                host.report(report, text);
            }
            Some(Deed::Stop(attempt)) => self.stop_attempt(host, attempt),
        }
    }

    fn say_effect(&mut self, host: &Host, effect: &Effect) {
        let name = letter(host.daemon);
        match effect {
            Effect::AttemptCancel { attempt, task } => {
                let number = self.story.attempt(*attempt);
                self.say(format!(
                    "daemon {name}: a{number} of {} is to stop",
                    Name(*task)
                ));
            }
            Effect::AttemptStart(order) => {
                let number = self.story.attempt(order.attempt);
                self.say(format!(
                    "daemon {name}: a{number} of {} is to run on {}, from token {}",
                    Name(order.task),
                    order.replica,
                    order.position
                ));
            }
            Effect::TaskEnded {
                task,
                end,
                position,
            } => self.say(format!(
                "daemon {name}: {} has ended at {position}: {end:?}",
                Name(*task)
            )),
            Effect::TaskStarted { .. } => {}
        }
    }
}
