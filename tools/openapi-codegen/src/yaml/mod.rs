//! YAML with the place of every node, so that each fault can name its file and line.

mod fields;
mod json;
mod load;
mod node;

pub use fields::Fields;
pub use json::{to_json_text, to_json_value};
pub use load::parse;
pub use node::{Data, Entry, Node, Place};
