//! Reads a whole bundled document.

use std::collections::BTreeMap;

use super::{operation::Operation, read_operation, read_schema, schema::Named, tagging};
use crate::{
    bundle::Bundle,
    fault::{Fault, Faults, Outcome},
    yaml::{Fields, Node, Place},
};

/// One API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Short name, e.g. `data`.
    pub name: String,
    /// Title of the document.
    pub title: String,
    /// Version of the document.
    pub version: String,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its operations in source order.
    pub operations: Vec<Operation>,
    /// Its schemas by name.
    pub schemas: BTreeMap<String, Named>,
}

/// A group of operations, which becomes one server trait.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Where it is written.
    pub at: Place,
    /// Its name.
    pub name: String,
    /// Its description.
    pub doc: Option<String>,
    /// Nouns that its operations may begin with.
    pub nouns: Vec<String>,
}

/// Reads a bundle.
pub fn read(bundle: &Bundle) -> Result<Api, Vec<Fault>> {
    let mut faults = Faults::default();
    let document = &bundle.document;
    let mut schemas = schemas(document, &mut faults);
    if faults.is_empty() {
        faults.keep(tagging::tag_variants(&mut schemas));
    }
    let mut operations = Vec::new();
    let head = faults.keep(head(document));
    let (title, version, tags) = head.unwrap_or_default();
    let security = document.get("security");
    let paths = document.get("paths").and_then(Node::as_map);
    for item in paths.unwrap_or_default() {
        match read_operation::path_item(document, &item.key, &item.value, security) {
            Ok(found) => {
                for operation in found {
                    operations.extend(faults.keep(operation));
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    faults.verdict()?;
    Ok(Api {
        name: bundle.name.clone(),
        title,
        version,
        tags,
        operations,
        schemas,
    })
}

fn schemas(document: &Node, faults: &mut Faults) -> BTreeMap<String, Named> {
    let mut schemas: BTreeMap<String, Named> = BTreeMap::new();
    let entries = document
        .get("components")
        .and_then(|components| components.get("schemas"))
        .and_then(Node::as_map);
    for entry in entries.unwrap_or_default() {
        for named in faults.keep(read_schema::named(entry)).unwrap_or_default() {
            if let Some(other) = schemas.get(&named.name) {
                let message = format!("`{}` is also made from {}", named.name, other.at);
                faults.push(Fault::new("name-taken", &named.at, message));
            }
            schemas.insert(named.name.clone(), named);
        }
    }
    schemas
}

fn head(document: &Node) -> Outcome<(String, String, Vec<Tag>)> {
    let mut fields = Fields::open(document, "an OpenAPI document")?;
    let openapi = fields.need_text("openapi")?;
    if openapi != "3.0.3" {
        return Err(Fault::unsupported(
            &document.at,
            format!("OpenAPI {openapi} is not supported; use 3.0.3"),
        ));
    }
    let info = fields.need("info")?;
    let tags = fields.list("tags")?;
    fields.allow(&["servers", "security", "paths", "components"]);
    fields.finish()?;
    let mut fields = Fields::open(info, "info")?;
    let title = fields.need_text("title")?.to_owned();
    let version = fields.need_text("version")?.to_owned();
    fields.allow(&["description", "license", "contact", "termsOfService"]);
    fields.finish()?;
    let tags = tags.iter().map(tag).collect::<Outcome<_>>()?;
    Ok((title, version, tags))
}

fn tag(node: &Node) -> Outcome<Tag> {
    let mut fields = Fields::open(node, "a tag")?;
    let tag = Tag {
        at: node.at.clone(),
        name: fields.need_text("name")?.to_owned(),
        doc: fields.text("description")?.map(str::to_owned),
        nouns: fields
            .texts("x-nouns")?
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    fields.finish()?;
    Ok(tag)
}
