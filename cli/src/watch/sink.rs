//! Where the events of a stream go.

use std::io;

use api_client::{
    ClientEvent,
    types::{TaskCreated, TaskStreamEvent},
};
use uuid::Uuid;

use super::{lines, text::Text};
use crate::output::{Format, Output};

/// Where the events of a stream go.
pub(crate) enum Sink {
    /// Text to standard output, progress to standard error.
    Text(Text),
    /// Each event as a line of JSON to standard output.
    Lines(Output),
}

impl Sink {
    pub(crate) fn new(out: Output, task: Uuid, quiet: bool) -> Self {
        match out.format {
            Format::Table => Self::Text(Text::new(out, task, quiet)),
            Format::Json => Self::Lines(out),
        }
    }

    /// The task was accepted.
    pub(crate) fn created(&mut self, created: &TaskCreated, replayed: bool) -> io::Result<()> {
        match self {
            Self::Text(text) => {
                text.created(created, replayed);
                Ok(())
            }
            Self::Lines(out) => out.write(lines::created(created)?.as_bytes()),
        }
    }

    pub(crate) fn event(&mut self, event: &ClientEvent<TaskStreamEvent>) -> io::Result<()> {
        match self {
            Self::Text(text) => text.event(&event.event),
            Self::Lines(out) => out.write(lines::event(event)?.as_bytes()),
        }
    }

    /// Something to know that is no event.
    pub(crate) fn notice(&mut self, notice: &str) {
        match self {
            Self::Text(text) => text.notice(notice),
            Self::Lines(_) => {}
        }
    }

    /// Nothing more comes.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Text(text) => text.close(),
            Self::Lines(_) => Ok(()),
        }
    }
}
