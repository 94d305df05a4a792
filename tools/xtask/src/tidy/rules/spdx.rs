//! Licence expressions: may a package be used under the licences that we accept?

/// Whether some choice that the expression leaves open is covered by `allowed`.
///
/// Knows `AND`, `OR`, `WITH` and parentheses, and the old `/` for `OR`. An exception grants more, so a
/// licence with one is accepted if the licence alone is. What cannot be read is not accepted.
pub(super) fn accepted(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        allowed,
    };
    parser.any() == Some(true) && parser.words.is_empty()
}

struct Parser<'p> {
    words: &'p [&'p str],
    allowed: &'p [&'p str],
}

impl<'p> Parser<'p> {
    fn take(&mut self, wanted: &str) -> bool {
        let found = self.words.first() == Some(&wanted);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn next(&mut self) -> Option<&'p str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn any(&mut self) -> Option<bool> {
        let mut accepted = self.all()?;
        while self.take("OR") {
            accepted |= self.all()?;
        }
        Some(accepted)
    }

    fn all(&mut self) -> Option<bool> {
        let mut accepted = self.one()?;
        while self.take("AND") {
            accepted &= self.one()?;
        }
        Some(accepted)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let inner = self.any()?;
            return self.take(")").then_some(inner);
        }
        let licence = self.next()?;
        if self.take("WITH") {
            self.next()?;
        }
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn a_choice_needs_one_and_a_sum_needs_all() {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"];
        for good in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "GPL-3.0-only OR MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "(MIT OR GPL-2.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(accepted(good, &allowed), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "BUSL-1.1",
            "MIT OR",
            "(MIT",
            "MIT Apache-2.0",
            "GPL-3.0-only AND MIT OR GPL-2.0-only",
        ] {
            assert!(!accepted(bad, &allowed), "{bad}");
        }
    }
}
