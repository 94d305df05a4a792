//! Readers of streams: the product's own state for each, fed as fast as the client takes it.

use std::sync::{Arc, Mutex, PoisonError};

use orchestrator_core::id::TaskId;
use orchestrator_core::queue::ClassName;
use orchestrator_core::time::Now;
use orchestratord::owner::OwnerState;
use orchestratord::stream::{
    CountedReader, Frame, Opened, ReaderState, ReaderStep, Reading as Found, StreamId, Waiting,
};

use super::host::Host;
use super::reads::Pending;
use crate::agenda::Micros;
use crate::plant::Plant;
use crate::world::World;
use crate::world::client::Message;
use crate::world::event::DaemonEvent;

/// Frames that are under way to a client at once.
const WINDOW: usize = 8;

/// Tells how many readers of a task there are.
type Tell = Box<dyn Fn(u32)>;

/// One reader on a connection.
pub(crate) struct Reading {
    pub(crate) errand: usize,
    pub(crate) turn: u32,
    task: TaskId,
    priority: ClassName,
    state: ReaderState,
    /// Dropped with the reader, and then tells that it left.
    _counted: Option<CountedReader<Tell>>,
    /// What the stream's version was when it was looked at last.
    version: u64,
    /// True while the client has not taken what it was sent.
    full: bool,
    /// True while the owner is asked where the task stands.
    asking: bool,
    /// The owner's answer, once it is there.
    standing: Arc<Mutex<Option<Option<Waiting>>>>,
    timer_at: Option<Micros>,
    over: bool,
}

impl Reading {
    fn is_answered(&self) -> bool {
        self.standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Asks the owner where the task stands, and takes the answer. False while there is none.
    fn learns_standing(&mut self, owner: &mut OwnerState, now: Now) -> bool {
        let answer = self
            .standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let standing = match answer {
            Some(standing) => standing,
            // Dropped without an answer, or nobody to ask: nobody knows.
            None if self.asking && self.is_forgotten() => None,
            None if self.asking => return false,
            None if owner.machine().is_some() => {
                self.asking = true;
                owner.ask_live(now, Some(self.task), ask(self));
                return false;
            }
            None => None,
        };
        self.asking = false;
        self.state.standing(standing);
        true
    }

    /// True if nobody holds the question any more.
    fn is_forgotten(&self) -> bool {
        Arc::strong_count(&self.standing) == 1 && !self.is_answered()
    }
}

impl World {
    /// A stream is open: the client is told, and its frames begin.
    pub(super) fn begin_reading(
        &mut self,
        host: &mut Host,
        errand: usize,
        turn: u32,
        opened: Opened,
    ) {
        let Opened { record, reading } = opened;
        let (state, counted) = match reading {
            Found::Ended(None) => {
                let message = Message::NothingMore;
                return self.send_client(host.daemon, host.life, errand, turn, message);
            }
            Found::Ended(Some(state)) => (state, None),
            Found::Live { reader, counted } => (reader, counted),
        };
        let told = std::rc::Rc::clone(&host.readers_told);
        let task = record.id;
        let counted = counted.map(|stream| {
            let tell = move |readers| told.borrow_mut().push((task, readers));
            CountedReader::new(&stream, Box::new(tell) as Tell)
        });
        self.tickets += 1;
        let reader = self.tickets;
        self.send_client(
            host.daemon,
            host.life,
            errand,
            turn,
            Message::Opened { reader },
        );
        let reading = Reading {
            errand,
            turn,
            task,
            priority: record.spec.priority,
            state,
            _counted: counted,
            version: 0,
            full: false,
            asking: false,
            standing: Arc::default(),
            timer_at: None,
            over: false,
        };
        host.readers.insert(reader, reading);
        self.feed(host, reader);
    }

    /// Sends a reader what there is for it, as much as its client takes at once.
    fn feed(&mut self, host: &mut Host, number: u64) {
        let Some(reading) = host.readers.get_mut(&number) else {
            return;
        };
        if reading.full || reading.over {
            return;
        }
        let now = host.clock.now(self.now);
        reading.version = reading.state.stream().version();
        let mut frames = Vec::new();
        let mut wait = None;
        while frames.len() < WINDOW {
            match reading.state.next(now.mono) {
                ReaderStep::Frame(frame) => frames.push(frame),
                ReaderStep::Over => {
                    reading.over = true;
                    break;
                }
                ReaderStep::Standing => {
                    if !reading.learns_standing(&mut host.state, now) {
                        break;
                    }
                }
                ReaderStep::Wait(at) => {
                    wait = at;
                    break;
                }
            }
        }
        let (errand, turn, over) = (reading.errand, reading.turn, reading.over);
        reading.full = !frames.is_empty();
        if let Some(wait) = wait {
            let at = host.clock.when(wait).max(self.now + 1);
            if reading
                .timer_at
                .is_none_or(|set| set > at || set <= self.now)
            {
                reading.timer_at = Some(at);
                self.send_host_at(host, at, DaemonEvent::ReaderTimer { reader: number });
            }
        }
        self.send_frames(host, (errand, turn), frames, over);
        if over {
            host.readers.remove(&number);
        }
    }

    fn send_frames(
        &mut self,
        host: &Host,
        (errand, turn): (usize, u32),
        mut frames: Vec<Frame>,
        over: bool,
    ) {
        if self.plant == Some(Plant::TerminalDoubled)
            && let Some(last @ Frame::Ended { .. }) = frames.last().cloned()
        {
            frames.push(last);
        }
        if !frames.is_empty() || over {
            let message = Message::Frames { frames, over };
            self.send_client(host.daemon, host.life, errand, turn, message);
        }
    }

    /// Feeds every reader for which something may be new.
    pub(crate) fn wake_readers(&mut self, host: &mut Host) {
        let due: Vec<u64> = host
            .readers
            .iter()
            .filter(|(_, reading)| !reading.full && !reading.over)
            .filter(|(_, reading)| {
                (reading.asking && (reading.is_answered() || reading.is_forgotten()))
                    || reading.version != reading.state.stream().version()
            })
            .map(|(number, _)| *number)
            .collect();
        for number in due {
            self.feed(host, number);
        }
    }

    /// A client has taken what it was sent.
    pub(crate) fn credit(&mut self, host: &mut Host, reader: u64) {
        if let Some(reading) = host.readers.get_mut(&reader) {
            reading.full = false;
        }
        self.feed(host, reader);
        self.pump(host);
    }

    pub(crate) fn reader_timer(&mut self, host: &mut Host, reader: u64) {
        if let Some(reading) = host.readers.get_mut(&reader) {
            reading.timer_at = None;
        }
        self.feed(host, reader);
        self.pump(host);
    }

    /// A client has closed its connection.
    pub(crate) fn reader_gone(&mut self, host: &mut Host, errand: usize, turn: u32) {
        host.readers
            .retain(|_, reading| (reading.errand, reading.turn) != (errand, turn));
        host.reads.retain(|_, pending| match pending {
            Pending::Open(opening) => (opening.errand, opening.turn) != (errand, turn),
            _ => true,
        });
        self.pump(host);
    }

    /// The place that a reader names, with the hash that would be ours: what a daemon without the check does.
    pub(super) fn believed(&self, host: &Host, task: TaskId, id: StreamId) -> StreamId {
        let Some(stream) = host.hub.find(task) else {
            return id;
        };
        let text = stream.text();
        let position = usize::try_from(id.position).unwrap_or(usize::MAX);
        let prefix: String = (0..position.min(text.ends.len()))
            .filter_map(|index| text.token(index))
            .collect();
        StreamId {
            position: id.position,
            hash: test_harness_history::PrefixHash::of(&prefix).value(),
        }
    }
}

/// Asks the owner where a task stands, as the application layer does it.
fn ask(reading: &Reading) -> orchestratord::owner::Question {
    let slot = Arc::clone(&reading.standing);
    let (task, priority) = (reading.task, reading.priority);
    Box::new(move |machine, now| {
        let standing = machine.explain(now, task).map(|why| Waiting {
            queue_depth: machine.queue_depth(priority).unwrap_or_default(),
            queue_position: why.queue_position,
            predicted_start_ms: why.predicted_start_ms,
            start_band: why.start_band,
            on_time_permille: why.on_time_permille,
            budget_left: why.budget_left,
            attempt: 0,
        });
        Box::new(move || {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
        })
    })
}
