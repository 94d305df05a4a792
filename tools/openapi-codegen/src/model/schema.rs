//! Schemas: named shapes, and the types that their members have.

use crate::yaml::Place;

/// A schema with a name, which becomes a Rust type.
#[derive(Clone, Debug)]
pub struct Named {
    /// Name in the contract, in Pascal case.
    pub name: String,
    /// Where it stands; the file decides the Rust module.
    pub at: Place,
    /// Its description.
    pub doc: Option<String>,
    /// What it is.
    pub shape: Shape,
}

/// What a named schema is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// An object with listed properties: a struct.
    Object(Object),
    /// A choice between objects by a tag: an enum with payload.
    Union(Union),
    /// A list of texts: an enum without payload.
    Enumeration(Enumeration),
    /// Another name for a type.
    Alias(Typed),
}

/// An object with listed properties.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its properties, in source order.
    pub properties: Vec<Property>,
    /// Whether the contract says `additionalProperties: false`.
    pub closed: bool,
    /// Name and value of the property that tags it, if it is a variant of a union. That
    /// property is not among `properties`: the enum of the union carries it.
    pub tagged: Option<(String, String)>,
}

/// One property of an object.
#[derive(Clone, Debug)]
pub struct Property {
    /// Name on the wire.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// The one value that it may have, if it tags a variant of a union.
    pub tag: Option<String>,
    /// Its type.
    pub typed: Typed,
}

/// A choice between objects, told apart by a property.
#[derive(Clone, Debug)]
pub struct Union {
    /// Name of the tagging property.
    pub tag: String,
    /// The choices, in source order.
    pub variants: Vec<Variant>,
    /// Whether more choices may come.
    pub extensible: bool,
}

/// One choice of a union.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Value of the tagging property.
    pub tag: String,
    /// Name of the object's schema.
    pub schema: String,
}

/// A list of texts.
#[derive(Clone, Debug)]
pub struct Enumeration {
    /// The texts, in source order.
    pub values: Vec<String>,
    /// Whether more may come.
    pub extensible: bool,
}

/// A type with what surrounds it.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Where it stands.
    pub at: Place,
    /// The type.
    pub ty: Type,
    /// Whether `null` is a value of it.
    pub nullable: bool,
    /// Its description.
    pub doc: Option<String>,
}

/// The type of a property, item, parameter or header.
#[derive(Clone, Debug)]
pub enum Type {
    /// A named schema.
    Ref(String),
    /// Text.
    Text(TextRules),
    /// A UUID in its hyphenated form.
    Uuid,
    /// An integer.
    Integer(IntRules),
    /// A double-precision number.
    Number(NumRules),
    /// True or false.
    Boolean,
    /// A list.
    Array(Box<Typed>, ArrayRules),
    /// An object with names of the caller's choosing.
    Map(Box<Typed>, MapRules),
    /// Any JSON object.
    Free,
}

/// Bounds of a text; lengths count Unicode characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextRules {
    /// Least length.
    pub min: Option<u64>,
    /// Greatest length.
    pub max: Option<u64>,
    /// Regular expression that must be found in it.
    pub pattern: Option<String>,
}

/// The Rust type of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntType {
    /// `format: int32`.
    I32,
    /// `format: int64`, or none.
    I64,
    /// `format: int32` that is never negative.
    U32,
    /// `format: int64` that is never negative, or none.
    U64,
}

/// Bounds of an integer. Both are always set: the format bounds what the contract does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRules {
    /// Its Rust type.
    pub ty: IntType,
    /// Least value.
    pub min: i128,
    /// Greatest value.
    pub max: i128,
}

/// Bounds of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NumRules {
    /// Least value, and whether it is excluded itself.
    pub min: Option<(f64, bool)>,
    /// Greatest value, and whether it is excluded itself.
    pub max: Option<(f64, bool)>,
}

/// Bounds of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrayRules {
    /// Fewest items.
    pub min: Option<u64>,
    /// Most items.
    pub max: Option<u64>,
    /// Whether no two items may be equal.
    pub unique: bool,
}

/// Bounds of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapRules {
    /// Fewest entries.
    pub min: Option<u64>,
    /// Most entries.
    pub max: Option<u64>,
}
