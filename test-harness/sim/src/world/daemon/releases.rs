//! What leaves the owner, and where it goes.

use orchestrator_core::reply::Reply;
use orchestratord::owner::{Notice, OwnerUnavailable, Release};

use super::host::Host;
use super::lanes::{Asked, Waiter};
use super::reads::Pending;
use crate::checkers::Sight;
use crate::plan::{CrashPoint, letter};
use crate::plant::Plant;
use crate::world::World;

impl World {
    /// Drains what may leave. True if anything did.
    pub(crate) fn let_out(&mut self, host: &mut Host) -> bool {
        let mut any = false;
        let mut answers = Vec::new();
        while let Some(release) = host.state.poll_release() {
            any = true;
            if !self.is_host(host) || self.is_judged() {
                return true;
            }
            if !matches!(
                release,
                Release::Committed(_) | Release::View(_) | Release::Notice(_)
            ) {
                if self.crash_at(host, CrashPoint::Releasing(host.let_out)) {
                    return true;
                }
                host.let_out += 1;
            }
            match release {
                Release::Committed(commit) => {
                    host.let_out = 0;
                    self.see(&Sight::Known {
                        daemon: host.daemon,
                        life: host.life,
                        commit: &commit,
                    });
                    self.meter(host, &commit);
                }
                Release::Effect(effect) => self.carry_out(host, effect),
                Release::Live(deliver) => deliver(),
                Release::Notice(notice) => self.notice(host, &notice),
                Release::Reply(token, reply) => {
                    if let Some(waiter) = host.waiters.remove(&token) {
                        answers.push((waiter, reply));
                    }
                }
                Release::View(_) => {}
            }
        }
        host.recovering &= !any;
        self.answer_all(host, answers);
        any
    }

    fn answer_all(
        &mut self,
        host: &mut Host,
        mut answers: Vec<(Waiter, Result<Reply, OwnerUnavailable>)>,
    ) {
        for (waiter, reply) in &answers {
            self.see(&Sight::Answer {
                daemon: host.daemon,
                asked: waiter.kind,
                reply,
            });
        }
        if self.plant == Some(Plant::AnswersSwapped)
            && answers.len() > 1
            && let Some((first, second)) = answers.split_at_mut_checked(1)
        {
            std::mem::swap(&mut first[0].1, &mut second[0].1);
        }
        for (waiter, reply) in answers {
            self.answered(host, &waiter, reply);
        }
    }

    pub(super) fn notice(&mut self, host: &Host, notice: &Notice) {
        let name = letter(host.daemon);
        self.coverage.notice(notice);
        match notice {
            Notice::ClassesRetired { classes, tasks } => self.say(format!(
                "daemon {name}: {tasks} tasks wait in classes that it does not know: {classes:?}"
            )),
            Notice::ClassesRetiredOfKeys { classes, keys } => self.say(format!(
                "daemon {name}: {keys} keys have a highest class that it does not know: {classes:?}"
            )),
            Notice::CommitDelayed {
                commit_seq, tries, ..
            } => self.say(format!(
                "daemon {name}: commit {commit_seq} was not applied, try {tries}"
            )),
            Notice::CommitResolved {
                commit_seq,
                applied,
                epoch,
            } => {
                let found = if *applied { "had been" } else { "had not been" };
                self.say(format!(
                    "daemon {name}: commit {commit_seq} {found} applied; epoch {} begins",
                    epoch.0
                ));
            }
            Notice::CommitUnknown { commit_seq, .. } => self.say(format!(
                "daemon {name}: nobody knows whether commit {commit_seq} was applied"
            )),
            Notice::PrefetchFailed { detail } => {
                self.say(format!(
                    "daemon {name}: cannot look up what has ended: {detail}"
                ));
            }
            Notice::RecoveryFailed { detail } => {
                self.say(format!("daemon {name}: cannot recover: {detail}"));
            }
            Notice::Recovered { epoch, live_tasks } => self.say(format!(
                "daemon {name}: its term {} begins with {live_tasks} live tasks",
                epoch.0
            )),
            Notice::SteppedDown { detail, alarm } => {
                let alarm = if *alarm { " WITH ALARM" } else { "" };
                self.say(format!("daemon {name}: steps down{alarm}: {detail}"));
            }
        }
        self.see(&Sight::Notice {
            daemon: host.daemon,
            notice,
        });
    }

    /// Tokens are metered as the daemon does it: with the record of an ended task.
    fn meter(&mut self, host: &Host, commit: &store::Commit) {
        use orchestrator_core::mutation::Mutation;
        use orchestrator_core::task::TaskEnd;
        for mutation in &commit.mutations {
            self.coverage.mutation(mutation);
            let tokens = match mutation {
                Mutation::TaskUpdate(record) if record.state.is_final() => match &record.end {
                    Some(TaskEnd::Finished { tokens_out, .. }) => Some((record.id, *tokens_out)),
                    _ => None,
                },
                Mutation::ChunkAppend { task, from, to, .. }
                    if self.plant == Some(Plant::TokensMeteredTwice) =>
                {
                    Some((*task, to - from))
                }
                _ => None,
            };
            if let Some((task, tokens)) = tokens {
                self.see(&Sight::Metered {
                    daemon: host.daemon,
                    task,
                    tokens,
                });
            }
        }
    }

    /// Answers whoever asked for a command.
    fn answered(
        &mut self,
        host: &mut Host,
        waiter: &Waiter,
        reply: Result<Reply, OwnerUnavailable>,
    ) {
        if let Ok(reply) = &reply
            && let Some(refusal) = reply.refusal()
        {
            self.coverage.refusal(refusal);
        }
        match (waiter.kind, reply) {
            (Asked::Cancel(task), Ok(Reply::TaskCancelled(_))) => {
                self.read_cancelled(host, waiter, task);
            }
            // As the daemon does, from the record: the owner may be one that another has taken over from.
            (Asked::Requeue(task), Ok(Reply::TaskRequeued(_))) => {
                let (errand, turn) = (waiter.errand, waiter.turn);
                self.read(host, Pending::Look { errand, turn, task });
            }
            (_, reply) => self.respond_to_command(host, waiter, reply),
        }
    }
}
