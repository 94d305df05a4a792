//! Files that are no models, given to the binary: one line, an exit code, no port.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;

use crate::engine::{Engine, SOON, command};

fn haiku_tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/haiku-tiny/haiku-tiny-q8_0.gguf")
}

/// How the binary ends with this model: its exit code, and what it says, with the folder left out.
async fn end(model: &Path, memory_kib: Option<u64>) -> String {
    let mut process = match memory_kib {
        None => command(),
        Some(kib) => {
            let mut shell = tokio::process::Command::new("sh");
            let binary = env!("CARGO_BIN_EXE_orch-engine");
            shell
                .arg("-c")
                .arg(format!("ulimit -v {kib}; exec {binary} \"$@\""))
                .arg("sh");
            shell.kill_on_drop(true);
            shell
        }
    };
    let process = process
        .arg("--model")
        .arg(model)
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(SOON, process).await.unwrap().unwrap();
    assert_eq!(output.stdout, b"", "it listened");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    let folder = model.parent().unwrap().display().to_string();
    format!(
        "{:?} {}",
        output.status.code(),
        said.trim_end().replace(&folder, "")
    )
}

#[tokio::test]
async fn a_file_that_is_no_model_is_one_line_and_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(haiku_tiny()).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let subfolder = folder.path().join("folder");
    std::fs::create_dir(&subfolder).unwrap();
    let ends = [
        end(&folder.path().join("missing.gguf"), None).await,
        end(&subfolder, None).await,
        end(&write("empty.gguf", b""), None).await,
        end(&write("text.gguf", b"not a model"), None).await,
        end(&write("header-cut.gguf", &whole[..20_000]), None).await,
        end(&write("weights-cut.gguf", &whole[..whole.len() - 1]), None).await,
    ];
    insta::assert_snapshot!(ends.join("\n"));
}

/// Headers that announce far more than there is must not be believed: with 1 GiB of address space the
/// process still ends by saying so.
#[tokio::test]
async fn announced_sizes_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let header = |tensors: u64, keys: u64, rest: &[u8]| {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(keys.to_le_bytes());
        bytes.extend(rest);
        bytes
    };
    let key_and = |value: &[u8]| {
        let mut bytes = 1u64.to_le_bytes().to_vec();
        bytes.push(b'k');
        bytes.extend(value);
        header(0, 1, &bytes)
    };
    let huge = (1u64 << 60).to_le_bytes();
    let large = (1u64 << 29).to_le_bytes();
    let string = |length: [u8; 8]| [&8u32.to_le_bytes()[..], &length].concat();
    let array =
        |of: u32, length: [u8; 8]| [&9u32.to_le_bytes()[..], &of.to_le_bytes(), &length].concat();
    let cases = [
        header(1 << 60, 0, b""),
        header(1 << 29, 0, b""),
        header(0, 1 << 60, b""),
        header(0, 1, &huge),
        header(0, 1, &large),
        key_and(&string(huge)),
        key_and(&string(large)),
        key_and(&array(0, huge)),
        key_and(&array(0, large)),
        key_and(&array(8, large)),
        key_and(&array(9, large)),
    ];
    for (i, bytes) in cases.iter().enumerate() {
        let path = folder.path().join(format!("{i}.gguf"));
        std::fs::write(&path, bytes).unwrap();
        let end = end(&path, Some(1 << 20)).await;
        assert!(end.starts_with("Some(1) orch-engine: model /"), "{end}");
    }
}

/// A very small model, said to have been trained with another context.
fn with_context(folder: &Path, tokens: u32) -> PathBuf {
    let smallest = "tests/fixtures/llama-spm.gguf";
    let mut bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(smallest)).unwrap();
    let key = b"llama.context_length";
    let at = bytes.windows(key.len()).position(|it| it == key).unwrap();
    // The number follows its type.
    let number = at + key.len() + 4;
    bytes[number..number + 4].copy_from_slice(&tokens.to_le_bytes());
    let path = folder.join("context.gguf");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn a_long_context_is_used_to_its_end_and_a_longer_one_than_the_model_s_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    // More than the 4096 positions to which candle's own models are bound.
    let model = with_context(folder.path(), 4200);
    let engine = Engine::start(&["--model", model.to_str().unwrap()]).await;
    let of_length = |n: usize| json!({ "prompt": vec![5; n], "n_predict": 9, "ignore_eos": true });
    let long = engine.complete(&of_length(4195)).await;
    assert_eq!(long["tokens_evaluated"], 4195);
    assert_eq!(long["tokens_predicted"], 5, "to the end of the context");
    assert_eq!(long["truncated"], true);
    let refused = engine.post("/completion", &of_length(4200)).await;
    assert_eq!(refused.status(), 400);
    let process = command()
        .args(["--ctx-size", "4201", "--model"])
        .arg(&model)
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(SOON, process).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "").trim_end(), @"orch-engine: model /context.gguf: not supported: a context of 4201 tokens: the model was trained with 4200, which is the most that --ctx-size can choose");
}

#[tokio::test]
async fn a_context_beyond_all_memory_is_refused_with_the_one_that_would_fit() {
    let folder = tempfile::tempdir().unwrap();
    let said = end(&with_context(folder.path(), 0x7f00_0000), None).await;
    assert!(
        said.starts_with("Some(1) orch-engine: model /context.gguf: "),
        "{said}"
    );
    assert!(
        said.contains("for a context of 2130706432 tokens"),
        "{said}"
    );
    assert!(said.contains("choose at most "), "{said}");
}

#[tokio::test]
async fn a_file_on_disk_is_served_like_the_compiled_in_one() {
    let path = haiku_tiny();
    let engine = Engine::start(&["--model", path.to_str().unwrap()]).await;
    let embedded = Engine::start(&[]).await;
    let props = engine.get_json("/props").await;
    assert_eq!(props["model_alias"], "haiku-tiny-q8_0.gguf");
    assert_eq!(props["model_path"], path.to_str().unwrap());
    assert_eq!(
        props["model_digest"],
        embedded.get_json("/props").await["model_digest"]
    );
    let body = json!({ "prompt": "Write a haiku", "seed": 4 });
    assert_eq!(
        engine.complete(&body).await["content"],
        embedded.complete(&body).await["content"]
    );
}

#[tokio::test]
async fn a_port_in_use_is_one_line_and_exit_code_1() {
    let engine = Engine::start(&[]).await;
    let (_, port) = engine.authority().split_once(':').unwrap();
    let output = command()
        .args(["--port", port])
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr)
        .unwrap()
        .replace(port, "PORT");
    insta::assert_snapshot!(
        said.trim_end(),
        @"orch-engine: cannot listen on 127.0.0.1:PORT: Address already in use (os error 98); choose another --port, or 0 for a free one"
    );
}

#[tokio::test]
async fn flags_out_of_range_are_exit_code_2() {
    for flags in [
        ["--threads", "0"],
        ["--port", "65536"],
        ["--max-tokens-per-second", "0"],
        ["--max-tokens-per-second", "NaN"],
        ["--ctx-size", "-1"],
        ["--slots", "2"],
    ] {
        let output = command()
            .args(flags)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert_eq!(output.stdout, b"");
    }
}
