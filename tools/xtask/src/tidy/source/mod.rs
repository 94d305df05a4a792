//! Just enough Rust to judge a file: tokens, comments, paths, functions, and which of it is test code.
//!
//! A full parser would be a dependency that takes longer to compile than everything else here. The rules
//! need only to know text from code, which braces belong together, and what a path spells out.

mod functions;
mod lexer;
mod paths;
mod test_code;

pub(crate) use functions::functions;
pub(crate) use lexer::{Lexed, Token, lex};
pub(crate) use paths::{PathUse, paths};
pub(crate) use test_code::TestCode;
