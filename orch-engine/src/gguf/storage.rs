//! How weights are stored: the types that are computed with, and the names of those that are not.

use candle_core::quantized::GgmlDType;

use super::Fault;

/// What a tensor may be stored as.
#[derive(Clone, Copy)]
pub(super) enum Storage {
    /// Any type that the library can multiply by.
    Matrix,
    /// Unquantised only: a norm is a handful of numbers, and every writer keeps them whole.
    Plain,
}

impl Storage {
    pub(super) fn admits(self, kind: GgmlDType) -> bool {
        use GgmlDType::{BF16, F16, F32, Q2K, Q3K, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
        match self {
            Self::Plain => matches!(kind, F32 | F16 | BF16),
            // Q8_1 and Q8K are missing: they are formats of intermediate results.
            Self::Matrix => matches!(
                kind,
                F32 | F16 | BF16 | Q2K | Q3K | Q4_0 | Q4_1 | Q4K | Q5_0 | Q5_1 | Q5K | Q6K | Q8_0
            ),
        }
    }
}

/// How the library's reader begins when it meets a type that it does not have; the type's number
/// follows. It keeps neither the number nor the tensor's name in a form of their own.
const UNKNOWN_TYPE: &str = "unknown dtype for tensor ";

/// The numbers of GGUF's types that the library does not have, with their names.
const OTHER_TYPES: [(u32, &str); 21] = [
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

/// A fault of the library's reader: an unknown type is a sound file that cannot be run, everything
/// else is damage.
pub(super) fn explained(error: &candle_core::Error) -> Fault {
    let text = error.to_string();
    let number = text.lines().next().and_then(|line| {
        let rest = line.strip_prefix(UNKNOWN_TYPE)?;
        rest.trim().parse::<u32>().ok()
    });
    let known = number.and_then(|number| OTHER_TYPES.iter().find(|(of, _)| *of == number));
    match known {
        Some((_, name)) => Fault::Unsupported(format!(
            "weights stored as {name}; this engine has F32, F16, BF16, Q4_0 to Q8_0 and Q2_K to Q6_K"
        )),
        None => Fault::damaged(error),
    }
}
