//! The verbs: one table that help, dispatch and suggestions read.

use std::process::ExitCode;

use crate::say::say;
use crate::{engines, launch, nearest, root::Root, test_run, tidy};

/// What a verb gives back: the exit code of what it ran, or why it could not run.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Why a verb did not do what was asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// 2 if the command line was at fault, 1 for everything else.
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn usage(message: String) -> Self {
        Self { message, code: 2 }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, code: 1 }
    }
}

/// One verb of the command line.
struct Verb {
    name: &'static str,
    /// The arguments it takes, as help prints them.
    usage: &'static str,
    /// One line for help.
    about: &'static str,
    run: fn(&Root, &[String]) -> Outcome,
}

/// Every verb but `help`, in the order in which a newcomer meets them.
const VERBS: &[Verb] = &[
    Verb {
        name: "demo",
        usage: "[--exit] [--keep] [--full-speed]",
        about: "start everything and stream one task from the real model",
        run: launch::demo,
    },
    Verb {
        name: "test",
        usage: "[--no-install] [--require-engines]",
        about: "every check, cheap ones first; --require-engines skips no test",
        run: test_run::test,
    },
    Verb {
        name: "tidy",
        usage: "[--bless]",
        about: "the house rules; --bless rewrites the golden tables",
        run: tidy::tidy,
    },
    Verb {
        name: "regen-openapi",
        usage: "[--check]",
        about: "generate types, server and client from contracts/openapi",
        run: launch::regen_openapi,
    },
    Verb {
        name: "regen-schema",
        usage: "[--check]",
        about: "write the JSON Schema of the configuration",
        run: launch::regen_schema,
    },
    Verb {
        name: "engines",
        usage: "[llamacpp | clients]",
        about: "bring real engines and clients for the tests that need them",
        run: engines::engines,
    },
    Verb {
        name: "chaos",
        usage: "[--kills N] [--seed S] [--json]",
        about: "kill real processes under load and judge what was seen",
        run: launch::chaos,
    },
    Verb {
        name: "sim",
        usage: "[--seed N] [--count N] [--table]",
        about: "run the real machine and owner in a simulated world, seed by seed",
        run: launch::sim,
    },
    Verb {
        name: "bench",
        usage: "<what> [--json] [--dev] [options]",
        about: "measure against the budgets: accept, memory, overhead, streams",
        run: launch::bench,
    },
];

/// Runs the verb that the arguments name.
pub(crate) fn dispatch(args: &[String]) -> Outcome {
    let Some((name, rest)) = args.split_first() else {
        say!("{}", help().trim_end());
        return Ok(ExitCode::from(2));
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        say!("{}", help().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    match VERBS.iter().find(|verb| verb.name == name) {
        Some(verb) => (verb.run)(&Root::find()?, rest),
        None => Err(Failure::usage(unknown(name))),
    }
}

/// Accepts only the listed flags and says which of them are set, in the listed order.
pub(crate) fn flags<const N: usize>(
    verb: &str,
    args: &[String],
    known: [&str; N],
) -> Result<[bool; N], Failure> {
    let mut set = [false; N];
    for arg in args {
        match known.iter().position(|flag| flag == arg) {
            Some(i) => set[i] = true,
            None => {
                return Err(Failure::usage(format!(
                    "`{verb}` does not take `{arg}`; it takes {}",
                    known.join(", ")
                )));
            }
        }
    }
    Ok(set)
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask <verb> [options]\n\n");
    for verb in VERBS {
        let call = format!("{} {}", verb.name, verb.usage);
        text.push_str(&format!("  {call:<40} {}\n", verb.about));
    }
    text.push_str(&format!("  {:<40} this list\n", "help"));
    text
}

fn unknown(name: &str) -> String {
    let names = VERBS.iter().map(|verb| verb.name).chain(["help"]);
    match nearest::nearest(name, names) {
        Some(close) => format!("there is no verb `{name}`; did you mean `cargo xtask {close}`?"),
        None => format!("there is no verb `{name}`; `cargo xtask help` lists them all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_one_line_for_every_verb() {
        let help = help();
        for verb in VERBS {
            let lines = help
                .lines()
                .filter(|line| line.trim_start().starts_with(&format!("{} ", verb.name)));
            assert_eq!(lines.count(), 1, "{}", verb.name);
        }
        assert!(help.lines().all(|line| line.len() <= 110), "{help}");
    }

    #[test]
    fn an_unknown_verb_suggests_the_nearest() {
        assert!(unknown("tset").contains("did you mean `cargo xtask test`?"));
        assert!(unknown("regen").contains("`cargo xtask help` lists them all"));
        assert!(unknown("regen-schemas").contains("`cargo xtask regen-schema`"));
    }

    #[test]
    fn flags_are_closed() {
        let args = [String::from("--bless")];
        assert_eq!(flags("tidy", &args, ["--bless"]), Ok([true]));
        let error = flags("test", &args, ["--no-install"]).expect_err("not a flag of test");
        assert_eq!(error.code, 2);
        assert_eq!(
            error.message,
            "`test` does not take `--bless`; it takes --no-install"
        );
    }
}
