//! Parameters of operations.

use super::{
    read_schema,
    schema::{Type, Typed},
};
use crate::{
    fault::{Fault, Outcome},
    yaml::{Data, Fields, Node, Place, to_json_value},
};

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// In the path.
    Path,
    /// Behind the question mark.
    Query,
    /// In a header.
    Header,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Where it is written.
    pub at: Place,
    /// Its name on the wire.
    pub name: String,
    /// Where it travels.
    pub source: Source,
    /// Whether it must be there.
    pub required: bool,
    /// The value taken if it is absent.
    pub default: Option<serde_json::Value>,
    /// Its description.
    pub doc: Option<String>,
    /// Its type.
    pub typed: Typed,
}

/// Reads one resolved parameter.
pub(super) fn read(node: &Node) -> Outcome<Param> {
    let mut fields = Fields::open(node, "a parameter")?;
    fields.allow(&["example"]);
    let name = fields.need_text("name")?.to_owned();
    let source = match fields.need_text("in")? {
        "path" => Source::Path,
        "query" => Source::Query,
        "header" => Source::Header,
        other => {
            return Err(Fault::unsupported(
                &node.at,
                format!("a parameter in `{other}` is not supported"),
            ));
        }
    };
    let doc = fields.text("description")?.map(str::to_owned);
    let required = fields.flag("required")?;
    let explode = fields.get("explode").map(|node| &node.data);
    let style = fields.text("style")?;
    let schema = fields.need("schema")?;
    fields.finish()?;
    if matches!(explode, Some(Data::Bool(false))) || style.is_some_and(|style| style != "form") {
        return Err(Fault::unsupported(
            &node.at,
            "only the default style is supported; a list is written by repeating its name",
        ));
    }
    if source == Source::Path && !required {
        return Err(Fault::unsupported(
            &node.at,
            "a path parameter must say `required: true`",
        ));
    }
    let typed = read_schema::typed(schema)?;
    let fits = match &typed.ty {
        Type::Map(..) | Type::Free => false,
        Type::Array(..) => source == Source::Query,
        _ => !typed.nullable,
    };
    if !fits {
        return Err(Fault::unsupported(
            &schema.at,
            "a parameter must be a scalar, or in the query a list of scalars",
        ));
    }
    let default = schema.get("default").map(to_json_value);
    if required && default.is_some() {
        return Err(Fault::unsupported(
            &schema.at,
            "a required parameter takes no default",
        ));
    }
    Ok(Param {
        at: node.at.clone(),
        name,
        source,
        required,
        default,
        doc,
        typed,
    })
}
