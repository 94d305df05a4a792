//! Clients that others made, in a virtual environment and a `node_modules` of their own.

use crate::say::say;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::lock::{self, Held};
use super::place::{self, Absent, Found, NODE_PINS, PYTHON_PINS, environment};
use super::workshop::{Workshop, works};

pub(super) const COMMAND: &str = "cargo xtask engines clients";

/// The oldest Node that the packages run on.
const NODE_RUNS: &str = "process.exit(process.versions.node.split('.')[0] < 18 ? 1 : 0)";

/// Finds them, or installs them.
pub(super) fn ensure() -> Result<(), String> {
    let folder = place::clients_folder(&environment)
        .ok_or("neither XDG_CACHE_HOME nor HOME says where to install")?;
    let held = lock::take(&folder)?;
    let mut workshop = Workshop::open(folder, COMMAND, 2)?;
    workshop.make("Python clients", "python", |folder| python(folder, &held))?;
    workshop.make("Node clients", "node", |folder| node(folder, &held))?;
    for found in [
        place::python_clients(&environment),
        place::node_clients(&environment),
    ] {
        match found {
            Ok(Found { path, .. }) => say!("{}", path.display()),
            Err(Absent::Missing(why) | Absent::Wrong(why)) => return Err(why),
        }
    }
    Ok(())
}

fn python(folder: &Path, held: &Held) -> Result<(), String> {
    if !works("python3", &["-c", "import venv, ensurepip"]) {
        return Err(
            "no python3 with venv and pip; on Debian: apt-get install -y --no-install-recommends python3 python3-venv"
                .to_owned(),
        );
    }
    held.run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let pins = folder.join("requirements.txt");
    write(&pins, PYTHON_PINS)?;
    let python = folder.join("bin/python");
    let pip = || {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        pip
    };
    held.run(
        pip()
            .args(["install", "--quiet", "--no-deps", "--requirement"])
            .arg(&pins),
    )?;
    // The pins name what the packages need; this finds what they forgot.
    held.run(pip().arg("check"))
}

fn node(folder: &Path, held: &Held) -> Result<(), String> {
    if !works("node", &["-e", NODE_RUNS]) || !works("npm", &["--version"]) {
        return Err(
            "no Node of version 18 or later with npm; on Debian: apt-get install -y --no-install-recommends nodejs npm"
                .to_owned(),
        );
    }
    fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
    write(&folder.join("package.json"), NODE_PINS)?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder).arg("install");
    npm.args([
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--loglevel=error",
    ]);
    held.run(&mut npm)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
