//! What the contract says about an operation, at hand while it is served.

use super::ProblemReply;

/// One operation of the contract. It stands in the extensions of every request that reaches
/// it, as `&'static Operation`.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its `operationId`.
    pub id: &'static str,
    /// Its tag.
    pub tag: &'static str,
    /// Its method.
    pub method: &'static str,
    /// Its path, parameters in braces.
    pub path: &'static str,
    /// Requirements that it carries out.
    pub req_ids: &'static [&'static str],
    /// Alternatives of security; empty if anybody may call it.
    pub security: &'static [Requirement],
    /// What a caller must be allowed to; none if anybody may call it.
    pub scope: Option<Scope>,
    /// Where its facts come from, if it is a read.
    pub read: Option<Read>,
    /// Most bytes of the request's body; 0 if it takes none.
    pub body_limit_bytes: u64,
    /// Media type of its successful reply; empty if that has no body.
    pub produces: &'static str,
    /// Statuses of the problems that it may answer with.
    pub problems: &'static [u16],
}

impl Operation {
    /// Whether the contract lists a problem of this status.
    pub fn lists(&self, status: u16) -> bool {
        self.problems.contains(&status)
    }

    /// Passes a problem on.
    ///
    /// # Panics
    ///
    /// In builds with debug assertions, if the contract does not list the status: the contract
    /// or the handler is wrong. Elsewhere such a problem is still sent, as clients read any.
    pub fn listed(&self, reply: ProblemReply) -> ProblemReply {
        debug_assert!(
            self.lists(reply.status().as_u16()),
            "{} answers {}, which the contract does not list",
            self.id,
            reply.status().as_u16()
        );
        reply
    }
}

/// Security schemes that suffice together, each with the scopes that it needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Requirement(pub &'static [(&'static str, &'static [&'static str])]);

/// What a caller must be allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing in particular: every caller who is known.
    Any,
    /// What keeps copies of the data.
    Backup,
    /// What a machine of the deployment does.
    Node,
    /// What who runs the deployment does.
    Operator,
    /// What users do.
    User,
}

/// Where the facts of a read come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// From the snapshot that the owner publishes.
    Live,
    /// From the store.
    Record,
}
