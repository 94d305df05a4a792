//! What this engine calls itself.

use sha2::{Digest as _, Sha256};

/// The tensor library's version. `Cargo.toml` of the workspace pins it; a test compares the two.
const CANDLE_VERSION: &str = "0.11.1";

/// One string that changes whenever the same request may give other bytes: the engine's version, the
/// tensor library's, and a short hash of the processor's architecture and those of its features by
/// which the library chooses kernels ([`cpu`] has them in full).
///
/// Two processes with the same string and the same model digest give the same bytes for the same
/// request. One thing is not in it: the platform's `expf`, which last changed with glibc 2.28.
pub fn engine_version() -> String {
    let hash = Sha256::digest(cpu().as_bytes());
    let short: String = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "orch-engine-{}+candle-{CANDLE_VERSION}.cpu-{short}",
        env!("CARGO_PKG_VERSION")
    )
}

/// The processor's architecture and the features that matter to the arithmetic, such as `x86_64.avx2.fma`.
pub(crate) fn cpu() -> String {
    let mut parts = vec![std::env::consts::ARCH];
    parts.extend(cpu_features());
    parts.join(".")
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let found = [
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("f16c", std::is_x86_feature_detected!("f16c")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ("avx512bw", std::is_x86_feature_detected!("avx512bw")),
        ("avx512vl", std::is_x86_feature_detected!("avx512vl")),
        ("avx512vnni", std::is_x86_feature_detected!("avx512vnni")),
        ("avx512bf16", std::is_x86_feature_detected!("avx512bf16")),
    ];
    present(&found)
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<&'static str> {
    let found = [
        (
            "dotprod",
            std::arch::is_aarch64_feature_detected!("dotprod"),
        ),
        ("i8mm", std::arch::is_aarch64_feature_detected!("i8mm")),
        ("fp16", std::arch::is_aarch64_feature_detected!("fp16")),
        ("bf16", std::arch::is_aarch64_feature_detected!("bf16")),
    ];
    present(&found)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<&'static str> {
    present(&[])
}

fn present(found: &[(&'static str, bool)]) -> Vec<&'static str> {
    found
        .iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| *name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::CANDLE_VERSION;

    #[test]
    fn the_version_names_the_library_that_is_linked() {
        let lock = include_str!("../../Cargo.lock");
        let entry = format!("name = \"candle-core\"\nversion = \"{CANDLE_VERSION}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another candle-core");
    }
}
