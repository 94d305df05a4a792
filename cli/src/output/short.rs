//! Long names, shortened for people. JSON has them whole.

/// Hexadecimal digits of a digest that tell it from its neighbours.
const DIGITS: usize = 12;

/// A version without its build metadata, which may say at length what it was built with.
pub(crate) fn version(text: &str) -> &str {
    text.split_once('+').map_or(text, |(version, _)| version)
}

/// The beginning of a digest such as `sha256:<hex>`, without the name of the function.
pub(crate) fn digest(text: &str) -> &str {
    let hex = text.split_once(':').map_or(text, |(_, hex)| hex);
    hex.get(..DIGITS).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_is_kept() {
        assert_eq!(
            version("orch-engine-0.1.0+candle-0.11.1.avx2"),
            "orch-engine-0.1.0"
        );
        assert_eq!(version("b4321"), "b4321");
        assert_eq!(digest("sha256:4145bf87d578423f1abe"), "4145bf87d578");
        assert_eq!(digest("short"), "short");
    }
}
