//! Tasks are handed over: alone, or several together, whose answers are gathered and leave together.

use orchestrator_core::id::{PayloadRef, ProjectId, SessionId, TaskId, TenantId};
use orchestrator_core::input::{Ask, TaskCreate};
use orchestrator_core::reply::Reply;
use orchestrator_core::session::SessionBudget;
use orchestratord::owner::OwnerUnavailable;
use store::TaskBody;
use test_harness_history::Answer;

use super::front::{SESSION_TOKENS, let_in};
use super::host::Host;
use super::lanes::{Asked, Command, Gathered, Waiter, Wanted};
use crate::checkers::Sight;
use crate::plant::Plant;
use crate::world::World;
use crate::world::client::{Message, New};

impl World {
    /// What is asked of the owner for a task; whoever waits is an errand, its turn, and its batch if it has one.
    pub(super) fn create_command(
        &self,
        host: &Host,
        new: New,
        (errand, turn, batch): (usize, u32, Option<u64>),
    ) -> Command {
        let New {
            id,
            fresh,
            key,
            fingerprint,
            spec,
            prompt,
            api_key,
        } = new;
        let key = key.filter(|_| self.plant != Some(Plant::KeysDropped));
        let ask = Ask::TaskCreate {
            create: Box::new(TaskCreate {
                id,
                fresh,
                tenant: TenantId::DEFAULT,
                project: ProjectId::DEFAULT,
                created_by: let_in(host, self.now, api_key),
                fingerprint,
                key,
                budget: brings_budget(spec.session).then(|| SessionBudget {
                    tokens: Some(SESSION_TOKENS),
                    ..SessionBudget::default()
                }),
                spec,
                body: PayloadRef(0),
            }),
            cold: None,
        };
        let body = Some(TaskBody {
            prompt,
            metadata: Vec::new(),
        });
        let waiter = Waiter {
            errand,
            turn,
            kind: Asked::Create(id),
            batch,
        };
        Command { ask, body, waiter }
    }

    /// Several tasks are handed over together.
    pub(super) fn create_many(&mut self, host: &mut Host, errand: usize, turn: u32, new: Vec<New>) {
        host.batches.begun += 1;
        let batch = host.batches.begun;
        let mut ids: Vec<TaskId> = new.iter().map(|one| one.id).collect();
        let mut commands: Vec<Command> = new
            .into_iter()
            .map(|one| self.create_command(host, one, (errand, turn, Some(batch))))
            .collect();
        let gathered = Gathered {
            errand,
            turn,
            all: commands.len(),
            answers: Vec::with_capacity(commands.len()),
            accepted: Vec::new(),
            made_up: None,
        };
        host.batches.open.insert(batch, gathered);
        ids.sort();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            self.coverage.note("batch: one task twice");
        }
        let Some(first) = commands.first().map(|first| first.waiter.clone()) else {
            return;
        };
        if host.lanes.batches() >= self.plan.setup.limits.batch_lane {
            self.coverage.note("batch: turned away");
            return self.turn_away(host, &first);
        }
        if self.plant == Some(Plant::BatchCutShort) && commands.len() > 1 {
            let last = commands.pop();
            let made_up = last.as_ref().and_then(|last| acceptance(&last.ask));
            if let Some(gathered) = host.batches.open.get_mut(&batch) {
                gathered.made_up = made_up;
            }
        }
        let half = commands.len().div_ceil(2);
        let second = match self.plant {
            Some(Plant::BatchSplit) => commands.split_off(half),
            _ => Vec::new(),
        };
        host.lanes.ask(Wanted::Batch(commands));
        if !second.is_empty() {
            host.lanes.ask(Wanted::Batch(second));
        }
    }

    /// One reply of a batch. They come in their order; where there is no owner, the first stands for all.
    pub(super) fn gather(
        &mut self,
        host: &mut Host,
        batch: u64,
        waiter: &Waiter,
        reply: Result<Reply, OwnerUnavailable>,
    ) {
        let failed = reply.is_err();
        let accepted = match &reply {
            Ok(Reply::TaskCreated {
                record,
                replayed: false,
            }) => Some(record.id),
            _ => None,
        };
        let answer = self.answer_of(host, waiter, reply);
        let Some(gathered) = host.batches.open.get_mut(&batch) else {
            return;
        };
        gathered.accepted.extend(accepted);
        gathered.answers.push(answer.clone());
        if failed {
            gathered.answers = vec![answer; gathered.all];
        } else if gathered.answers.len() + 1 == gathered.all {
            gathered.answers.extend(gathered.made_up.take());
        }
        if gathered.answers.len() < gathered.all {
            return;
        }
        let Some(gathered) = host.batches.open.remove(&batch) else {
            return;
        };
        if !failed {
            self.batch_answered(host, &gathered);
        }
        let Gathered {
            errand,
            turn,
            answers,
            ..
        } = gathered;
        let message = Message::Answers(answers);
        self.send_client(host.daemon, host.life, errand, turn, message);
    }

    fn batch_answered(&mut self, host: &Host, gathered: &Gathered) {
        let taken = |answer: &Answer| matches!(answer, Answer::Accepted { .. });
        let whole = gathered.answers.iter().all(taken);
        self.coverage.note(match whole {
            true => "batch: accepted whole",
            false => "batch: a part refused",
        });
        self.see(&Sight::Batch {
            daemon: host.daemon,
            accepted: &gathered.accepted,
        });
    }
}

/// The answer that a task would be accepted with.
fn acceptance(ask: &Ask) -> Option<Answer> {
    match ask {
        Ask::TaskCreate { create, .. } => Some(Answer::Accepted {
            task: test_harness_history::TaskId(create.id.0),
            seed: u64::from(create.spec.seed),
            replayed: false,
        }),
        _ => None,
    }
}

/// Do tasks of this session bring a budget? Those of every other one leave it to whoever puts the session.
pub(crate) fn brings_budget(session: Option<SessionId>) -> bool {
    session.is_some_and(|session| session.0.is_multiple_of(2))
}
