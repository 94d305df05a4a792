//! A problem that the server tells.

use api_client::types::{Problem, ProblemFault};

use super::{
    advice::advice,
    report::{Told, detail, heading, knobs},
};
use crate::output::{Page, span};

impl Told for Problem {
    fn describe(&self, page: &mut Page) {
        heading(page, &format!("{} ({})", self.title, self.code));
        // Of a single fault, the detail says the same as the list.
        let mut faults = self.errors.iter().flatten();
        if !faults.any(|fault| fault.detail == self.detail || said(fault) == self.detail) {
            detail(page, &self.detail);
        }
        for fault in self.errors.iter().flatten() {
            describe_fault(fault, page);
        }
        let mut lines = Vec::new();
        let mut line = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
        line("limit", self.limit_name.clone());
        line("policy", self.policy_label.clone());
        line("engine", self.engine.as_ref().map(ToString::to_string));
        line("task", self.task_id.as_ref().map(ToString::to_string));
        line(
            "try again",
            self.retry_after_ms.map(|ms| format!("in {}", span(ms))),
        );
        line("what to do", Some(advice(self).to_owned()));
        line("correlation", Some(self.correlation_id.clone()));
        knobs(page, &lines);
    }
}

fn describe_fault(fault: &ProblemFault, page: &mut Page) {
    page.line(format!("  - {}", said(fault)));
    if let Some(hint) = &fault.hint {
        page.line(format!("    {hint}"));
    }
}

fn said(fault: &ProblemFault) -> String {
    let ProblemFault {
        pointer, detail, ..
    } = fault;
    let place = if pointer.is_empty() {
        "the body"
    } else {
        pointer
    };
    format!("{place}: {detail}")
}
