//! A client that reads a stream.

use orchestratord::stream::Frame;
use test_harness_history::{Answer, ClosedBy, Event as Seen, ReaderEvent, TaskId as SeenTask};

use super::convert;
use super::errand::{Aim, Message, ReadAim};
use crate::agenda::Micros;
use crate::story::Step;
use crate::world::World;
use crate::world::event::DaemonEvent;

impl World {
    pub(super) fn hear_reader(&mut self, number: usize, message: Message) {
        match message {
            Message::Again => self.ask(number),
            // Nobody answers a reader so.
            Message::Answers(_) => {}
            Message::Answer(Answer::Missing) => {
                self.reader_saw(
                    number,
                    ReaderEvent::Refused {
                        code: "NOT_FOUND".to_owned(),
                    },
                );
                self.done(number);
            }
            Message::Answer(answer) => {
                if let Answer::Refused { code, .. } = answer {
                    self.reader_saw(number, ReaderEvent::Refused { code });
                }
                self.try_later(number);
            }
            Message::Frames { frames, over } => self.frames(number, &frames, over),
            Message::Lost => {
                if self.reader(number).is_some_and(|read| read.open.is_some()) {
                    self.reader_saw(number, ReaderEvent::Closed(ClosedBy::Fault));
                }
                self.try_later(number);
            }
            Message::NothingMore => {
                self.reader_saw(number, ReaderEvent::NothingMore);
                self.done(number);
            }
            Message::Opened { reader } => {
                let daemon = u32::try_from(self.errands[number].daemon).unwrap_or(0);
                let Some(read) = self.reader_mut(number) else {
                    return;
                };
                read.open = Some(reader);
                let from = Self::place_of(read.after);
                let task = SeenTask(read.task.0);
                self.reader_saw(number, ReaderEvent::Opened { task, from, daemon });
                if self
                    .reader(number)
                    .is_some_and(|read| read.habit.leaves_after == Some(0))
                {
                    self.go_away(number);
                }
            }
            Message::Patience => {
                // It is only the opening that may take too long; frames come when they come.
                if self.reader(number).is_some_and(|read| read.open.is_none()) {
                    self.leave(number);
                    self.try_later(number);
                }
            }
        }
    }

    fn reader(&self, number: usize) -> Option<&ReadAim> {
        match &self.errands[number].aim {
            Aim::Read(read) => Some(read),
            _ => None,
        }
    }

    fn reader_mut(&mut self, number: usize) -> Option<&mut ReadAim> {
        match &mut self.errands[number].aim {
            Aim::Read(read) => Some(read),
            _ => None,
        }
    }

    fn reader_saw(&mut self, number: usize, event: ReaderEvent) {
        if let Some(reader) = self.reader(number).map(|read| read.reader) {
            self.saw(Seen::Reader { reader, event });
        }
    }

    /// Frames come. After each one the reader may have had enough.
    fn frames(&mut self, number: usize, frames: &[Frame], over: bool) {
        let mut taken = 0;
        for frame in frames {
            let (seen, place) = convert::frame(frame);
            self.coverage.frame(frame);
            taken += 1;
            self.reader_saw(number, ReaderEvent::Frame(seen));
            let Some(read) = self.reader_mut(number) else {
                return;
            };
            read.after = place.or(read.after);
            read.frames += 1;
            let enough = read.habit.leaves_after == Some(read.frames);
            if enough && !matches!(frame, Frame::Ended { .. } | Frame::Diverged { .. }) {
                self.tell_frames(number, taken);
                return self.go_away(number);
            }
        }
        self.tell_frames(number, taken);
        let told = |frame: &Frame| matches!(frame, Frame::Ended { .. } | Frame::Diverged { .. });
        if over || frames.iter().any(told) {
            if let (false, Some((daemon, life))) = (over, self.errands[number].peer) {
                let turn = self.errands[number].turn;
                let gone = DaemonEvent::ReaderGone {
                    errand: number,
                    turn,
                };
                self.send_daemon(daemon, life, self.now + 1, gone);
            }
            self.reader_saw(number, ReaderEvent::Closed(ClosedBy::Server));
            return self.done(number);
        }
        let Some(read) = self.reader(number) else {
            return;
        };
        let (slow, open) = (read.habit.frame, read.open);
        if let (Some(reader), Some((daemon, life))) = (open, self.errands[number].peer) {
            let after: Micros = slow * taken + self.chance_net();
            self.send_daemon(
                daemon,
                life,
                self.now + after,
                DaemonEvent::Credit { reader },
            );
        }
    }

    fn tell_frames(&mut self, number: usize, frames: u64) {
        let position = self
            .reader(number)
            .and_then(|read| read.after)
            .map_or(0, |id| id.position);
        let step = Step::Frames {
            errand: number,
            frames: usize::try_from(frames).unwrap_or(0),
            position,
        };
        self.story.tell(self.now, step);
    }

    /// A reader leaves, and comes back if that is its habit. It leaves once: the second time it stays.
    fn go_away(&mut self, number: usize) {
        let Some(read) = self.reader_mut(number) else {
            return;
        };
        let away = read.habit.away;
        read.habit.leaves_after = None;
        self.leave(number);
        match away {
            Some(away) => {
                let turn = self.errands[number].turn;
                self.send_errand(number, turn, away, Message::Again);
            }
            None => self.done(number),
        }
    }
}
