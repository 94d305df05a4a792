//! Keys are made and ended on demand. The rules are those of [`Keys`](crate::key::Keys); here they become a step.

use std::sync::Arc;

use crate::id::{KeyId, ReplyToken};
use crate::key::{KeyCreate, KeyRecord, KeyRotate};
use crate::machine::driver::Machine;
use crate::machine::step::Answer;
use crate::refusal::{ClassAsk, Refusal};
use crate::reply::Reply;
use crate::time::Now;

impl Machine {
    /// Someone makes a key.
    pub(super) fn key_create(&mut self, now: Now, reply: ReplyToken, create: KeyCreate) {
        let made = match self.class_refusal(create.class_max, ClassAsk::Key) {
            Some(refusal) => Err(refusal),
            None => self.keys.create(now.wall, create),
        };
        self.key_settled(
            reply,
            made.map(|key| (vec![Arc::clone(&key)], Reply::KeyCreated(key))),
        );
    }

    /// Someone ends a key. The tasks that it created run on.
    pub(super) fn key_revoke(&mut self, now: Now, reply: ReplyToken, key: KeyId) {
        let ended = self.keys.revoke(now.wall, key);
        let settled = ended.map(|(key, changed)| {
            let rows = changed.then(|| Arc::clone(&key)).into_iter().collect();
            (rows, Reply::KeyRevoked(key))
        });
        self.key_settled(reply, settled);
    }

    /// Someone replaces a key.
    pub(super) fn key_rotate(&mut self, now: Now, reply: ReplyToken, rotate: KeyRotate) {
        let rotated = self.keys.rotate(now.wall, rotate);
        let settled = rotated.map(|(old, new)| {
            self.quotas.follow(old.id, new.id);
            let rows = vec![old, Arc::clone(&new)];
            (rows, Reply::KeyCreated(new))
        });
        self.key_settled(reply, settled);
    }

    fn key_settled(
        &mut self,
        reply: ReplyToken,
        settled: Result<(Vec<Arc<KeyRecord>>, Reply), Refusal>,
    ) {
        let answer = match settled {
            Ok((rows, answer)) => {
                self.step.keys.extend(rows);
                answer
            }
            Err(refusal) => Reply::Refused(refusal),
        };
        self.step.replies.push((reply, Answer::Ready(answer)));
    }
}
