//! What a session may use, and what it has used.
//!
//! A budget is given with a task, and holds for its session from then on. What a task may use at most is reserved when
//! it is accepted, and settled with what it used when it ends; so no task is accepted that could use more than is left.
//! Tokens are counted as the task's own estimate of its prompt, and what it generated. Money follows the tokens, by
//! the price of the pool that ran it. Time is how long attempts held a slot; as nobody knows that before, the expected
//! time is reserved, and the last task may use more than was left.

/// An amount of each thing that a budget can limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Tokens.
    pub tokens: u64,
    /// Milliseconds for which attempts held a slot.
    pub time_ms: u64,
    /// Money, in millionths of its unit.
    pub cost_micros: u64,
}

/// Limits of what a session may use; what is `None` is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionBudget {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Milliseconds for which attempts hold a slot.
    pub time_ms: Option<u64>,
    /// Money, in millionths of its unit.
    pub cost_micros: Option<u64>,
}

/// A thing that a budget can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetKind {
    /// Money.
    Cost,
    /// Time.
    Time,
    /// Tokens.
    Tokens,
}

/// A budget that does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Of what.
    pub kind: BudgetKind,
    /// How much there is in all.
    pub limit: u64,
    /// How much is neither used nor reserved.
    pub left: u64,
    /// How much the task may use.
    pub asked: u64,
}

impl Amounts {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            time_ms: self.time_ms.saturating_add(other.time_ms),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }

    /// This without the other.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            time_ms: self.time_ms.saturating_sub(other.time_ms),
            cost_micros: self.cost_micros.saturating_sub(other.cost_micros),
        }
    }
}

impl SessionBudget {
    /// True if it limits nothing.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// What is left of it after so much.
    pub(crate) fn left(self, used: Amounts) -> Self {
        let left = |limit: Option<u64>, used| limit.map(|limit| limit.saturating_sub(used));
        Self {
            tokens: left(self.tokens, used.tokens),
            time_ms: left(self.time_ms, used.time_ms),
            cost_micros: left(self.cost_micros, used.cost_micros),
        }
    }

    /// What does not suffice for so much more, if anything does not. Where something is limited and nothing of it is
    /// left, nothing more comes in, however little it asks for.
    pub(crate) fn shortfall(self, used: Amounts, asked: Amounts) -> Option<Shortfall> {
        let left = self.left(used);
        let kinds = [
            (BudgetKind::Tokens, self.tokens, left.tokens, asked.tokens),
            (BudgetKind::Time, self.time_ms, left.time_ms, asked.time_ms),
            (
                BudgetKind::Cost,
                self.cost_micros,
                left.cost_micros,
                asked.cost_micros,
            ),
        ];
        kinds.into_iter().find_map(|(kind, limit, left, asked)| {
            let (limit, left) = limit.zip(left)?;
            (left == 0 || asked > left).then_some(Shortfall {
                kind,
                limit,
                left,
                asked,
            })
        })
    }
}
