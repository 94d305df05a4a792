//! How likely the model held a token to be, before any sampler had its say.

use crate::tokenizer::TokenId;

/// A generated token with its natural logarithm of the probability, and those of the likeliest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Likelihood {
    pub(crate) token: TokenId,
    pub(crate) logprob: f32,
    /// The likeliest, likeliest first; equals by their number.
    pub(crate) top: Vec<(TokenId, f32)>,
}

/// The logarithm of what all probabilities have in common; the largest logit is taken out first, so
/// that nothing overflows.
fn log_sum(logits: &[f32]) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from(logit - most).exp())
        .sum();
    f64::from(most) + sum.ln()
}

impl Likelihood {
    /// What these logits say of `token`, and of the `n` likeliest.
    pub(crate) fn of(token: TokenId, logits: &[f32], n: usize) -> Self {
        let log_sum = log_sum(logits);
        let logprob = |logit: f32| (f64::from(logit) - log_sum) as f32;
        let mut top: Vec<(TokenId, f32)> = (0..).zip(logits.iter().copied()).collect();
        let likelier =
            |a: &(TokenId, f32), b: &(TokenId, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if n < top.len() {
            top.select_nth_unstable_by(n, likelier);
            top.truncate(n);
        }
        top.sort_unstable_by(likelier);
        Self {
            token,
            logprob: logprob(logits[token as usize]),
            top: top
                .into_iter()
                .map(|(token, logit)| (token, logprob(logit)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Likelihood;

    #[test]
    fn probabilities_are_those_of_the_softmax_and_sum_to_one() {
        let logits = [1.0, 3.0, 3.0, -200.0];
        let likelihood = Likelihood::of(0, &logits, 9);
        let ids: Vec<u32> = likelihood.top.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [1, 2, 0, 3]);
        let sum: f64 = likelihood
            .top
            .iter()
            .map(|(_, logprob)| f64::from(*logprob).exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert_eq!(likelihood.logprob, likelihood.top[2].1);
        assert_eq!(Likelihood::of(3, &logits, 2).top.len(), 2);
        assert_eq!(Likelihood::of(3, &logits, 0).top, []);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let likelihood = Likelihood::of(0, &[1e38, -1e38], 1);
        assert_eq!(likelihood.logprob, 0.0);
    }
}
