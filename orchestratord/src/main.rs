//! The control plane daemon.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use orchestratord::exit::{ended, refuse};
use orchestratord::keys::print_first_key;
use orchestratord::run::process::shared;
use orchestratord::serve::serve;
use orchestratord::settings::{Args, ConfigCommand, DataPlace, InitArgs, ServeArgs, Verb};
use orchestratord::settings::{check_file, load};

/// A task is hundreds of small pieces that one thread makes and another one drops, which is what this allocator is
/// quick at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let Args { verb, serve: how } = Args::parse();
    match verb {
        Some(Verb::Config(ConfigCommand::Check { file })) => match check_file(&file) {
            Ok(config) => {
                let told = [format!("{}: no fault found", file.display())];
                for line in told.into_iter().chain(shared(&config.pools)) {
                    let _told_by_exit_code = writeln!(io::stdout(), "{line}");
                }
                ExitCode::SUCCESS
            }
            Err(error) => refuse(&error.to_string()),
        },
        Some(Verb::Init(args)) => init(args, how),
        None => match load(&how) {
            Ok(settings) => ended(serve(settings)),
            Err(error) => refuse(&error.to_string()),
        },
    }
}

fn init(args: InitArgs, mut place: ServeArgs) -> ExitCode {
    place.config = args.config.or(place.config);
    place.data_dir = args.data_dir.or(place.data_dir);
    match load(&place).map(|settings| (settings.data, settings.config)) {
        Ok((DataPlace::Kept(dir), it)) => ended(print_first_key(&dir, &it, args.again, args.json)),
        Ok((DataPlace::Temporary, _)) => refuse("--ephemeral keeps no data, and so no key"),
        Err(error) => refuse(&error.to_string()),
    }
}
