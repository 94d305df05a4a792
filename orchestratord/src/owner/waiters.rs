//! Who waits for which answer.

use std::collections::HashMap;

use orchestrator_core::id::ReplyToken;
use orchestrator_core::reply::Reply;
use tokio::sync::oneshot;

use super::error::OwnerUnavailable;

/// Where the answer to a command goes.
pub(super) type Waiter = oneshot::Sender<Result<Reply, OwnerUnavailable>>;

/// Where the answers to a batch of commands go, in their order.
pub(super) type BatchWaiter = oneshot::Sender<Result<Vec<Reply>, OwnerUnavailable>>;

/// Everyone who waits for the answer to something that was stepped.
#[derive(Default)]
pub(super) struct Waiters {
    by_token: HashMap<ReplyToken, Place>,
    gathered: HashMap<u64, Gathered>,
    batches: u64,
}

/// Where one answer goes.
enum Place {
    /// To whoever asked.
    Alone(Waiter),
    /// To the others of this batch.
    In(u64),
}

/// The answers of a batch so far.
struct Gathered {
    replies: Vec<Reply>,
    /// How many there will be.
    all: usize,
    waiter: BatchWaiter,
}

impl Waiters {
    /// Someone waits for one answer.
    pub(super) fn add(&mut self, token: ReplyToken, waiter: Waiter) {
        self.by_token.insert(token, Place::Alone(waiter));
    }

    /// Someone waits for all of these. The commands of a batch are stepped in their order into one commit, so that
    /// their answers come in that order, or none of them.
    pub(super) fn add_batch(&mut self, tokens: &[ReplyToken], waiter: BatchWaiter) {
        self.batches += 1;
        let places = tokens.iter().map(|token| (*token, Place::In(self.batches)));
        self.by_token.extend(places);
        let gathered = Gathered {
            replies: Vec::with_capacity(tokens.len()),
            all: tokens.len(),
            waiter,
        };
        self.gathered.insert(self.batches, gathered);
    }

    /// An answer may leave.
    pub(super) fn answer(&mut self, token: ReplyToken, reply: Result<Reply, OwnerUnavailable>) {
        match self.by_token.remove(&token) {
            // Whoever asked may have gone.
            Some(Place::Alone(waiter)) => drop(waiter.send(reply)),
            Some(Place::In(batch)) => self.gather(batch, reply),
            None => {}
        }
    }

    fn gather(&mut self, batch: u64, reply: Result<Reply, OwnerUnavailable>) {
        let Some(gathered) = self.gathered.get_mut(&batch) else {
            return;
        };
        let outcome = reply.map(|reply| gathered.replies.push(reply));
        if outcome.is_ok() && gathered.replies.len() < gathered.all {
            return;
        }
        if let Some(Gathered {
            replies, waiter, ..
        }) = self.gathered.remove(&batch)
        {
            drop(waiter.send(outcome.map(|()| replies)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn tokens(waiters: &mut Waiters) -> oneshot::Receiver<Result<Vec<Reply>, OwnerUnavailable>> {
        let (waiter, answer) = oneshot::channel();
        waiters.add_batch(&[ReplyToken(1), ReplyToken(2)], waiter);
        answer
    }

    #[test]
    fn a_batch_has_its_answers_when_the_last_is_there() {
        let mut waiters = Waiters::default();
        let mut answer = tokens(&mut waiters);
        waiters.answer(ReplyToken(1), Ok(Reply::SessionDeleted));
        assert!(answer.try_recv().is_err());
        waiters.answer(ReplyToken(2), Ok(Reply::SessionDeleted));
        assert_eq!(answer.try_recv().unwrap().unwrap().len(), 2);
    }

    #[test]
    fn a_batch_whose_commit_fails_fails_once_and_whole() {
        let mut waiters = Waiters::default();
        let mut answer = tokens(&mut waiters);
        for token in [1, 2] {
            let lost = OwnerUnavailable::Unknown("lost".to_owned());
            waiters.answer(ReplyToken(token), Err(lost));
        }
        assert!(answer.try_recv().unwrap().is_err());
        assert!(waiters.by_token.is_empty() && waiters.gathered.is_empty());
    }
}
