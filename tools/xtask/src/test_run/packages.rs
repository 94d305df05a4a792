//! The Debian packages that a build needs: a C compiler with its headers, for the bundled SQLite.

use crate::say::say;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What gives a machine `cc` and the headers of the C library.
const PACKAGES: &[&str] = &["gcc", "libc6-dev"];

/// Makes sure that C compiles, installing the packages where that is possible and allowed.
///
/// The error says what is missing and the command that brings it.
pub(super) fn ensure(may_install: bool) -> Result<(), String> {
    if c_compiles() {
        say!("a C compiler is there");
        return Ok(());
    }
    let install = format!(
        "apt-get install -y --no-install-recommends {}",
        PACKAGES.join(" ")
    );
    let missing = "no working C compiler (`cc`), which the bundled SQLite needs";
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!(
            "{missing}; install one with the system's package manager"
        ));
    }
    if !may_install {
        return Err(format!("{missing}; run: {install}"));
    }
    if !is_root() {
        return Err(format!("{missing}; run: sudo {install}"));
    }
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], PACKAGES].concat())?;
    if c_compiles() {
        Ok(())
    } else {
        Err(format!(
            "{missing}, although {} are installed",
            PACKAGES.join(", ")
        ))
    }
}

/// Whether `cc` exists and finds the headers of the C library.
fn c_compiles() -> bool {
    let Ok(mut compiler) = Command::new("cc")
        .args(["-x", "c", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
    else {
        return false;
    };
    let written = compiler
        .stdin
        .take()
        .is_some_and(|mut input| input.write_all(b"#include <stdio.h>\n").is_ok());
    compiler.wait().is_ok_and(|status| status.success()) && written
}

fn apt_get(args: &[&str]) -> Result<(), String> {
    let status = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .map_err(|e| format!("cannot start apt-get: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`apt-get {}` failed ({status})", args.join(" ")))
    }
}

/// Whether the owner of this process may install packages.
fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| effective_uid(&status) == Some(0))
}

/// The second number of the line `Uid: real effective saved filesystem`.
fn effective_uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_user_decides() {
        assert_eq!(effective_uid("Name:\tx\nUid:\t1000\t0\t0\t0\n"), Some(0));
        assert_eq!(effective_uid("Uid:\t0\t1000\t0\t0\n"), Some(1000));
        assert_eq!(effective_uid("Name:\tx\n"), None);
    }
}
