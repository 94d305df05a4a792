//! Where parts are looked for, and what the verb takes.

#![cfg(unix)]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lock;
use super::place::{self, Absent, Found, LLAMA_SERVER_VAR};
use super::verb::{Wanted, wanted};
use super::workshop::Workshop;

/// An environment of these variables and no others.
fn of<'a>(variables: &'a [(&'a str, &'a Path)]) -> impl Fn(&str) -> Option<OsString> + 'a {
    |name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_os_str().to_owned())
    }
}

/// A fresh folder, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("there is a place for temporary files");
        Self(path)
    }

    fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    /// An empty file that may be started.
    fn program(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = self.join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        fs::write(&path, "").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn found(path: PathBuf, how: &'static str) -> Result<Found, Absent> {
    Ok(Found { path, how })
}

#[test]
fn the_environment_wins_over_the_cache_and_the_cache_over_the_search_path() {
    let folder = Folder::new("order");
    let cache = folder.join("cache");
    let on_path = folder.program("bin/llama-server");
    let search_path = folder.join("bin");
    let variables = [("XDG_CACHE_HOME", &*cache), ("PATH", &*search_path)];
    assert_eq!(
        place::llama_server(&of(&variables)),
        found(on_path.clone(), "PATH")
    );

    let home = place::llamacpp_folder(&of(&variables)).expect("a cache");
    let cached = folder.program(home.join("llama-server"));
    assert_eq!(
        place::llama_server(&of(&variables)),
        found(cached, "the cache")
    );

    let named = folder.program("elsewhere/my-server");
    let variables = [variables[0], variables[1], (LLAMA_SERVER_VAR, &*named)];
    assert_eq!(
        place::llama_server(&of(&variables)),
        found(named.clone(), LLAMA_SERVER_VAR)
    );
    // What is named and not there is an error, although another one is there.
    fs::set_permissions(&named, fs::Permissions::from_mode(0o644)).expect("a mode");
    let wrong = place::llama_server(&of(&variables));
    assert!(matches!(wrong, Err(Absent::Wrong(why)) if why.contains("my-server")));
}

#[test]
fn what_is_missing_is_told_with_the_command_that_brings_it() {
    let folder = Folder::new("missing");
    let variables = [("HOME", &*folder.0)];
    for (search, command) in [
        (
            place::llama_server(&of(&variables)),
            "cargo xtask engines llamacpp",
        ),
        (
            place::python_clients(&of(&variables)),
            "cargo xtask engines clients",
        ),
        (
            place::node_clients(&of(&variables)),
            "cargo xtask engines clients",
        ),
    ] {
        let Err(Absent::Missing(why)) = search else {
            panic!("nothing is missing but {search:?}");
        };
        assert!(why.contains(command), "{why}");
    }
}

#[test]
fn a_broken_off_installation_is_none() {
    let folder = Folder::new("clients");
    let variables = [("XDG_CACHE_HOME", &*folder.0)];
    let clients = place::clients_folder(&of(&variables)).expect("a cache");
    let python = folder.program(clients.join("python/bin/python"));
    assert!(place::python_clients(&of(&variables)).is_err());
    fs::write(place::done_file(&clients, "python"), "").expect("a file");
    assert_eq!(
        place::python_clients(&of(&variables)),
        found(python, "the cache")
    );
}

#[test]
fn the_cache_is_where_the_specification_of_base_directories_says() {
    let at = |variables: &[(&str, &Path)]| place::cache(&of(variables));
    let (home, other) = (Path::new("/h"), Path::new("/x"));
    assert_eq!(at(&[("HOME", home)]), Some("/h/.cache/orchestrator".into()));
    let both = [("HOME", home), ("XDG_CACHE_HOME", other)];
    assert_eq!(at(&both), Some("/x/orchestrator".into()));
    let relative = [("HOME", home), ("XDG_CACHE_HOME", Path::new("x"))];
    assert_eq!(at(&relative), Some("/h/.cache/orchestrator".into()));
    assert_eq!(at(&[]), None);
}

#[test]
fn the_verb_is_closed() {
    assert_eq!(wanted(&[]), Ok(Wanted::Survey));
    assert_eq!(wanted(&["clients"]), Ok(Wanted::Clients));
    assert_eq!(wanted(&["llamacpp"]), Ok(Wanted::Llamacpp(None)));
    assert_eq!(
        wanted(&["llamacpp", "--jobs", "3"]),
        Ok(Wanted::Llamacpp(Some(3)))
    );
    for bad in [
        &["vllm"][..],
        &["llamacpp", "--jobs", "0"],
        &["clients", "now"],
    ] {
        let failure = wanted(bad).expect_err("not an engine");
        assert_eq!(failure.code, 2, "{}", failure.message);
    }
}

#[test]
fn a_step_is_done_once_and_a_broken_off_one_from_its_start() {
    let folder = Folder::new("steps");
    let open = || Workshop::open(folder.join("w"), "again", 1).expect("a folder");
    let write = |product: &Path| {
        assert!(!product.exists(), "what was left is still there");
        fs::write(product, "whole").map_err(|e| e.to_string())
    };
    let broken = open().make("a thing", "thing", |product| {
        fs::write(product, "half").map_err(|e| e.to_string())?;
        Err("no room".to_owned())
    });
    let why = broken.expect_err("it broke off");
    assert!(
        why.starts_with("a thing: no room\nto go on from here: again\n"),
        "{why}"
    );
    open().make("a thing", "thing", write).expect("done afresh");
    open()
        .make("a thing", "thing", |_| Err("done twice".to_owned()))
        .expect("done before");
    assert_eq!(
        fs::read_to_string(folder.join("w/thing")).expect("a file"),
        "whole"
    );
}

#[test]
fn the_folder_is_named_after_the_version_that_is_pinned() {
    let home = [("HOME", Path::new("/h"))];
    let folder = place::llamacpp_folder(&of(&home)).expect("a cache");
    let folder = folder.display().to_string();
    let pin = include_str!("pins/llamacpp.txt");
    let (_, pinned) = pin.split_once("llama-cpp-python==").expect("a pin");
    let version = pinned.split_whitespace().next().expect("a version");
    assert!(folder.contains(&format!("llamacpp-{version}-")), "{folder}");
}

#[test]
fn the_lock_is_kept_by_what_was_started_under_it() {
    let folder = Folder::new("lock");
    let place = folder.join("engine-1.2");
    let held = lock::take(&place).expect("nobody else has it");
    let file = fs::File::open(folder.join("engine-1.2.lock")).expect("the lock is a file");
    let busy = || matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
    assert!(busy());
    // It says that it runs, and stays until it is told that it may go.
    let (told, may_go) = (folder.join("told"), folder.join("may-go"));
    let script = r#"mkfifo "$1" "$2"; exec 3<&0; { echo >"$1"; read _ <"$2"; } &"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(&told).arg(&may_go);
    held.run(&mut shell).expect("a shell");
    // Both hold the lock in this process.
    drop((held, shell));
    let mut line = String::new();
    BufReader::new(fs::File::open(&told).expect("a pipe"))
        .read_line(&mut line)
        .expect("a line");
    assert!(busy(), "the program that was started runs");
    fs::write(&may_go, "\n").expect("a pipe");
    file.lock().expect("the program ends");
}
