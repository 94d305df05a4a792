//! What one bundled document says, in the generator's own words. Reading is strict: a construct
//! that is not understood is a fault, never a loose value.

mod document;
mod operation;
mod parameter;
mod pattern;
mod read_operation;
mod read_response;
mod read_scalar;
mod read_schema;
mod response;
mod schema;
mod tagging;

pub use document::{Api, Tag, read};
pub use operation::{Body, Example, Operation, Read, Requirement, Scope, Sse};
pub use parameter::{Param, Source};
pub use response::{Content, Header, Reply};
pub use schema::{
    ArrayRules, Enumeration, IntRules, IntType, MapRules, Named, NumRules, Object, Property, Shape,
    TextRules, Type, Typed, Union, Variant,
};
