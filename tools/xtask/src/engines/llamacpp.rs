//! `llama-server`, built from a source package of the Python package index.
//!
//! No distribution that we know of has it as a package, and its own binaries lie where a build machine may not
//! reach. But the sources of `llama-cpp-python` carry the whole of llama.cpp, server included, and pip brings
//! CMake and Ninja too. So a C++ compiler and Python are all that is needed.

use crate::say::say;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::lock::{self, Held};
use super::place::{self, Found, environment};
use super::workshop::{Workshop, remove, works};

pub(super) const COMMAND: &str = "cargo xtask engines llamacpp";

/// Package and digest; pip holds what it downloads to both.
const SOURCE_PIN: &str = include_str!("pins/llamacpp.txt");
/// The folder in the source package that is llama.cpp.
const SOURCE: &str = "llama_cpp_python-0.3.36/vendor/llama.cpp";
const ARCHIVE: &str = "llama_cpp_python-0.3.36.tar.gz";

/// The tools of the build, and the backend that pip asks for the package's name.
const TOOLS: [&str; 3] = [
    "cmake==3.31.6",
    "ninja==1.11.1.4",
    "scikit-build-core==0.11.6",
];

/// One static program without anything that would be downloaded: its web page and TLS among them.
const FLAGS: [&str; 10] = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DGGML_NATIVE=ON",
    "-DGGML_OPENMP=OFF",
];

/// Finds it, or builds it with so many compilers side by side.
pub(super) fn ensure(jobs: usize) -> Result<(), String> {
    if let Some(found) = find()? {
        return tell(&found);
    }
    let folder = place::llamacpp_folder(&environment)
        .ok_or("neither XDG_CACHE_HOME nor HOME says where to build")?;
    check_tools()?;
    let held = lock::take(&folder)?;
    // Whoever held the lock before may have built it.
    if let Some(found) = find()? {
        return tell(&found);
    }
    say!(
        "building llama-server in {}; on two cores this takes about ten minutes",
        folder.display()
    );
    build(&folder, jobs, &held)?;
    find()?.map_or_else(
        || Err("it was built, but is not there any more".to_owned()),
        |found| tell(&found),
    )
}

fn find() -> Result<Option<Found>, String> {
    match place::llama_server(&environment) {
        Ok(found) => Ok(Some(found)),
        Err(place::Absent::Missing(_)) => Ok(None),
        Err(place::Absent::Wrong(why)) => Err(why),
    }
}

fn tell(found: &Found) -> Result<(), String> {
    let version = version(&found.path)?;
    say!(
        "llama-server: {} (from {})\n{version}",
        found.path.display(),
        found.how
    );
    Ok(())
}

/// What the program says of itself; that it says something proves that it runs on this machine.
pub(super) fn version(program: &Path) -> Result<String, String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot start {}: {e}", program.display()))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().find(|line| line.contains("version"));
    match line {
        Some(line) if output.status.success() => Ok(line.trim().to_owned()),
        _ => Err(format!(
            "{} does not run here ({}): {}",
            program.display(),
            output.status,
            said.trim()
        )),
    }
}

/// The system's part: everything else comes from the package index.
fn check_tools() -> Result<(), String> {
    let install = "apt-get install -y --no-install-recommends";
    if !works("python3", &["-c", "import venv, ensurepip"]) {
        return Err(format!(
            "no python3 with venv and pip, which fetch the source and the build tools; \
             on Debian: {install} python3 python3-venv; then again: {COMMAND}"
        ));
    }
    for (compiler, package) in [("c++", "g++"), ("cc", "gcc libc6-dev")] {
        if !works(compiler, &["--version"]) {
            return Err(format!(
                "no compiler `{compiler}`, which builds llama.cpp; \
                 on Debian: {install} {package}; then again: {COMMAND}"
            ));
        }
    }
    if !works("tar", &["--version"]) {
        return Err(format!(
            "no `tar`; on Debian: {install} tar; then again: {COMMAND}"
        ));
    }
    Ok(())
}

fn build(folder: &Path, jobs: usize, held: &Held) -> Result<(), String> {
    let mut workshop = Workshop::open(folder.join("work"), COMMAND, 6)?;
    let work = workshop.dir().to_owned();
    let tools = work.join("tools/bin");
    workshop.make(
        "the build tools, from the package index",
        "tools",
        |tools| {
            held.run(Command::new("python3").args(["-m", "venv"]).arg(tools))?;
            held.run(
                pip(&tools.join("bin"))
                    .args(["install", "--quiet"])
                    .args(TOOLS),
            )
        },
    )?;
    workshop.make(
        "the source, from the package index",
        "download",
        |download| {
            let pin = work.join("source-pin.txt");
            fs::write(&pin, SOURCE_PIN)
                .map_err(|e| format!("cannot write {}: {e}", pin.display()))?;
            // The tools are installed already, so pip need not make itself a second set of them.
            let mut pip = pip(&tools);
            pip.args([
                "download",
                "--no-deps",
                "--no-build-isolation",
                "--require-hashes",
            ]);
            pip.args(["--no-binary", "llama-cpp-python", "--dest"]);
            held.run(pip.arg(download).arg("--requirement").arg(&pin))
        },
    )?;
    workshop.make("unpack", "source", |source| {
        fs::create_dir(source).map_err(|e| format!("cannot create {}: {e}", source.display()))?;
        let archive = work.join("download").join(ARCHIVE);
        held.run(
            Command::new("tar")
                .arg("-xzf")
                .arg(archive)
                .arg("-C")
                .arg(source),
        )
    })?;
    workshop.make("configure", "build", |build| {
        let mut cmake = tool(&tools, "cmake");
        cmake
            .args(["-G", "Ninja", "--log-level=WARNING"])
            .args(FLAGS);
        cmake.arg("-S").arg(work.join("source").join(SOURCE));
        held.run(cmake.arg("-B").arg(build))
    })?;
    workshop.go_on("compile; a broken off build goes on where it was", || {
        let mut ninja = tool(&tools, "ninja");
        ninja.env("NINJA_STATUS", "[%f of %t, %e s] ");
        ninja.arg("-C").arg(work.join("build"));
        held.run(ninja.args(["-j", &jobs.to_string(), "llama-server"]))
    })?;
    workshop.go_on("try it, and put it in its place", || {
        install(&work.join("build/bin/llama-server"), folder)
    })?;
    // Half a gigabyte that nobody needs any more.
    remove(&work)
}

/// Moves the program to where tests look for it, whole or not at all.
fn install(built: &Path, folder: &Path) -> Result<(), String> {
    version(built)?;
    let (fresh, place) = (folder.join("llama-server.new"), folder.join("llama-server"));
    fs::copy(built, &fresh)
        .and_then(|_| fs::rename(&fresh, &place))
        .map_err(|e| format!("cannot put {} in its place: {e}", place.display()))
}

fn pip(tools: &Path) -> Command {
    let mut command = tool(tools, "python");
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    command
}

/// A program of the build tools, which finds the others of them.
fn tool(tools: &Path, name: &str) -> Command {
    let mut command = Command::new(tools.join(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from(tools)).chain(std::env::split_paths(&path));
    // A folder whose name cannot stand in a search path cannot be there on a search path either.
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command
}
