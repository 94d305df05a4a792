//! Telling what went wrong, to people and to programs.

use api_client::{ApiError, types::Problem};
use serde::Serialize;

use super::{Failure, trouble::Trouble};
use crate::{
    exit::Exit,
    output::{Cell, Format, Output, Page, Tone, json},
    server::Server,
};

/// Something to tell: a problem that the server tells, or a trouble that no server tells.
pub(super) trait Told: Serialize {
    fn describe(&self, page: &mut Page);
}

/// Tells on standard error what went wrong, and says how the program shall end.
pub(crate) fn report(failure: &Failure, server: Option<&Server>, out: Output) -> Exit {
    let exit = failure.exit();
    if exit != Exit::Done {
        match problem(failure) {
            Some(problem) => tell(problem, out),
            None => tell(&Trouble::of(failure, server), out),
        }
    }
    exit
}

/// What the server says, if it said why.
fn problem(failure: &Failure) -> Option<&Problem> {
    match failure {
        Failure::Api(ApiError::Problem { problem, .. }) | Failure::Task(problem) => Some(problem),
        _ => None,
    }
}

fn tell<T: Told>(told: &T, out: Output) {
    let text = match out.format {
        Format::Json => json(told).unwrap_or_else(|error| format!("error: {error}\n")),
        Format::Table => {
            let mut page = out.page_err();
            told.describe(&mut page);
            page.into_text()
        }
    };
    out.write_err(&text);
}

/// The first line.
pub(super) fn heading(page: &mut Page, title: &str) {
    page.line(Cell::new(Tone::Bad, format!("error: {title}")));
}

/// Any number of lines below it.
pub(super) fn detail(page: &mut Page, detail: &str) {
    for line in detail.lines() {
        page.line(format!("  {line}"));
    }
}

/// Names and values below that, one pair a line.
pub(super) fn knobs(page: &mut Page, knobs: &[(&str, String)]) {
    let width = knobs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in knobs {
        page.line(format!("  {name:width$}  {value}"));
    }
}
