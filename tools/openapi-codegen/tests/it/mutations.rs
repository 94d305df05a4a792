//! `--check` on changed copies of the real contract.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A copy of the contract and of all that is generated from it.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in [
        "contracts/openapi",
        "contracts/api-types/src/generated",
        "contracts/api-server/src/generated",
        "contracts/api-client/src/generated",
    ] {
        copy_folder(&repository().join(part), &folder.path().join(part));
    }
    folder
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn run(root: &Path, check: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openapi-codegen"));
    command.arg("--root").arg(root);
    if check {
        command.arg("--check");
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Changes one file of a copy; `--check` must fail and name the given files, and writing must
/// bring the copy into line again.
fn changed(file: &str, change: impl Fn(&str) -> String, named: &[&str]) {
    let copy = copy();
    let path = copy.path().join(file);
    let before = fs::read_to_string(&path).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "{file} was changed");
    fs::write(&path, after).unwrap();
    let output = run(copy.path(), true);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for name in named {
        assert!(told.contains(name), "{name} in:\n{told}");
    }
    assert!(told.contains("run `cargo xtask regen-openapi`"), "{told}");
    assert!(run(copy.path(), false).status.success());
    let output = run(copy.path(), true);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn an_unchanged_copy_passes() {
    let output = run(copy().path(), true);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_required_field_removed_is_noticed() {
    changed(
        "contracts/openapi/data/tasks.yaml",
        |text| text.replacen("required: [kind, prompt]", "required: [kind]", 1),
        &[
            "stale: contracts/api-types/src/generated/tasks.rs",
            "stale: contracts/api-server/src/generated/request_schemas.json",
            "stale: contracts/openapi/generated/data.json",
        ],
    );
}

#[test]
fn an_enum_value_added_is_noticed() {
    changed(
        "contracts/openapi/planes/engine.yaml",
        |text| text.replacen("[embedded, llamacpp]", "[embedded, llamacpp, vllm]", 1),
        &[
            "stale: contracts/api-types/src/generated/engine.rs",
            "stale: contracts/openapi/generated/control.json",
            "stale: contracts/openapi/generated/data.json",
        ],
    );
}

#[test]
fn an_operation_added_is_noticed() {
    let added = "    post:
      operationId: session_keep
      tags: [sessions]
      summary: Keep a session
      description: Keeps it.
      x-req-id: [ORCH-2004]
      x-scope: user
      parameters:
        - $ref: '#/components/parameters/SessionIdPath'
      responses:
        '200':
          description: Kept.
          content: { text/plain: { schema: { type: string } } }
        '400': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
        '401': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
        '403': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
        '406': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
        '429': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
        '500': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
components:
";
    changed(
        "contracts/openapi/data/sessions.yaml",
        |text| text.replacen("components:\n", added, 1),
        &[
            "stale: contracts/api-server/src/generated/sessions.rs",
            "stale: contracts/api-client/src/generated/data.rs",
            "stale: contracts/openapi/generated/data.json",
        ],
    );
}

#[test]
fn a_tag_added_means_a_missing_file_and_a_file_by_hand_an_orphan() {
    let copy = copy();
    fs::remove_file(
        copy.path()
            .join("contracts/api-types/src/generated/engine.rs"),
    )
    .unwrap();
    let by_hand = copy
        .path()
        .join("contracts/api-server/src/generated/extra.rs");
    fs::write(&by_hand, "//! By hand.\n").unwrap();
    let output = run(copy.path(), true);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.contains("missing: contracts/api-types/src/generated/engine.rs"),
        "{told}"
    );
    assert!(
        told.contains("orphaned: contracts/api-server/src/generated/extra.rs"),
        "{told}"
    );
    assert!(run(copy.path(), false).status.success());
    assert!(!by_hand.exists());
}

#[test]
fn a_generated_file_that_was_edited_is_noticed() {
    changed(
        "contracts/api-client/src/generated/data.rs",
        |text| format!("{text}// By hand.\n"),
        &["stale: contracts/api-client/src/generated/data.rs"],
    );
}

#[test]
fn a_fault_of_the_contract_stops_before_anything_is_written() {
    let copy = copy();
    let path = copy.path().join("contracts/openapi/data/tasks.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("operationId: task_get", "operationId: get_task"),
    )
    .unwrap();
    let output = run(copy.path(), false);
    assert_eq!(output.status.code(), Some(1));
    let told = self::text(&output.stderr);
    assert!(
        told.contains("[operation-id] `get_task` must begin with a noun of its tag: task"),
        "{told}"
    );
    let generated = "contracts/api-server/src/generated/tasks.rs";
    assert_eq!(
        fs::read(copy.path().join(generated)).unwrap(),
        fs::read(repository().join(generated)).unwrap()
    );
}
