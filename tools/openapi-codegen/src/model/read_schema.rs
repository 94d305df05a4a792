//! Reads schemas.

use super::{
    read_scalar,
    schema::{
        ArrayRules, Enumeration, MapRules, Named, Object, Property, Shape, Type, Typed, Union,
        Variant,
    },
};
use crate::{
    fault::{Fault, Outcome},
    naming,
    yaml::{Data, Entry, Fields, Node},
};

const SCHEMAS: &str = "#/components/schemas/";

/// Reads one entry of `components/schemas`; enumerations written inside its properties become
/// schemas of their own, named after owner and property.
pub(super) fn named(entry: &Entry) -> Outcome<Vec<Named>> {
    if naming::camel(&entry.key) != entry.key {
        return Err(Fault::new(
            "schema-name",
            &entry.at,
            format!(
                "`{}` must be in Pascal case: `{}`",
                entry.key,
                naming::camel(&entry.key)
            ),
        ));
    }
    let node = &entry.value;
    let mut extra = Vec::new();
    let shape = if node.get("oneOf").is_some() {
        Shape::Union(union(node)?)
    } else if node.get("enum").is_some() {
        Shape::Enumeration(enumeration(node)?)
    } else if node.get("properties").is_some() {
        Shape::Object(object(node, &entry.key, &mut extra)?)
    } else {
        Shape::Alias(typed(node)?)
    };
    extra.push(Named {
        name: entry.key.clone(),
        at: entry.at.clone(),
        doc: node
            .get("description")
            .and_then(Node::as_text)
            .map(str::to_owned),
        shape,
    });
    Ok(extra)
}

fn object(node: &Node, owner: &str, extra: &mut Vec<Named>) -> Outcome<Object> {
    let mut fields = Fields::open(node, "an object schema")?;
    fields.allow(&["description", "title", "example"]);
    kind(&mut fields, "object")?;
    let required = fields.texts("required")?;
    let required_at = node.get("required").map_or(&node.at, |node| &node.at);
    let entries = fields.map("properties")?;
    let closed = match fields.get("additionalProperties").map(|node| &node.data) {
        None => false,
        Some(Data::Bool(false)) => true,
        Some(_) => {
            return Err(Fault::unsupported(
                &node.at,
                "an object with `properties` takes no other `additionalProperties` than false",
            ));
        }
    };
    fields.finish()?;
    for name in &required {
        if !entries.iter().any(|entry| entry.key == *name) {
            return Err(Fault::unsupported(
                required_at,
                format!("`{name}` is required but is no property"),
            ));
        }
    }
    let mut properties = Vec::new();
    for entry in entries {
        let required = required.contains(&entry.key.as_str());
        properties.push(property(entry, owner, required, extra)?);
    }
    Ok(Object {
        properties,
        closed,
        tagged: None,
    })
}

fn property(
    entry: &Entry,
    owner: &str,
    required: bool,
    extra: &mut Vec<Named>,
) -> Outcome<Property> {
    let node = &entry.value;
    let mut tag = None;
    let typed = if node.get("enum").is_some() {
        let values = enumeration(node)?;
        if let ([only], false) = (values.values.as_slice(), values.extensible) {
            tag = Some(only.clone());
        }
        let name = format!("{owner}{}", naming::camel(&entry.key));
        let doc = node.get("description").and_then(Node::as_text);
        extra.push(Named {
            name: name.clone(),
            at: entry.at.clone(),
            doc: doc.map(str::to_owned),
            shape: Shape::Enumeration(values),
        });
        Typed {
            at: node.at.clone(),
            ty: Type::Ref(name),
            nullable: matches!(
                node.get("nullable").map(|node| &node.data),
                Some(Data::Bool(true))
            ),
            doc: doc.map(str::to_owned),
        }
    } else {
        typed(node)?
    };
    Ok(Property {
        name: entry.key.clone(),
        required,
        tag,
        typed,
    })
}

fn enumeration(node: &Node) -> Outcome<Enumeration> {
    let mut fields = Fields::open(node, "an enumeration")?;
    fields.allow(&["description", "title", "nullable", "example", "default"]);
    kind(&mut fields, "string")?;
    let values: Vec<String> = fields
        .texts("enum")?
        .into_iter()
        .map(str::to_owned)
        .collect();
    let extensible = fields.flag("x-extensible")?;
    fields.finish()?;
    if values.is_empty() {
        return Err(Fault::unsupported(
            &node.at,
            "an enumeration without values",
        ));
    }
    Ok(Enumeration { values, extensible })
}

fn union(node: &Node) -> Outcome<Union> {
    let mut fields = Fields::open(node, "a union")?;
    fields.allow(&["description", "title", "example"]);
    let choices = fields.list("oneOf")?;
    let extensible = fields.flag("x-extensible")?;
    let discriminator = fields.need("discriminator")?;
    fields.finish()?;
    let mut fields = Fields::open(discriminator, "a discriminator")?;
    let tag = fields.need_text("propertyName")?.to_owned();
    let mapping = fields.map("mapping")?;
    fields.finish()?;
    let mut variants = Vec::new();
    for choice in choices {
        let schema = schema_reference(choice)?.ok_or_else(|| {
            Fault::unsupported(&choice.at, "a choice of a union must be a $ref to a schema")
        })?;
        let value = mapping
            .iter()
            .find(|entry| entry.value.as_text().and_then(local_name) == Some(schema))
            .ok_or_else(|| {
                Fault::unsupported(
                    &choice.at,
                    format!("`{schema}` stands not in the discriminator's mapping"),
                )
            })?;
        variants.push(Variant {
            tag: value.key.clone(),
            schema: schema.to_owned(),
        });
    }
    if mapping.len() != variants.len() {
        return Err(Fault::unsupported(
            &discriminator.at,
            "the discriminator's mapping and `oneOf` must name the same schemas",
        ));
    }
    Ok(Union {
        tag,
        variants,
        extensible,
    })
}

/// Reads the schema of a property, item, parameter, header or body.
pub(super) fn typed(node: &Node) -> Outcome<Typed> {
    if let Some(name) = schema_reference(node)? {
        Fields::open(node, "a reference").and_then(|mut fields| {
            fields.allow(&["$ref"]);
            fields.finish()
        })?;
        return Ok(bare(node, Type::Ref(name.to_owned())));
    }
    if node.get("allOf").is_some() {
        return annotated_reference(node);
    }
    let mut fields = Fields::open(node, "a schema")?;
    fields.allow(&["title", "example", "default"]);
    let doc = fields.text("description")?.map(str::to_owned);
    let nullable = fields.flag("nullable")?;
    if let Some(inner) = node
        .get("oneOf")
        .or(node.get("enum"))
        .or(node.get("properties"))
    {
        return Err(Fault::unsupported(
            &inner.at,
            "an enumeration, union or object in this place must be a named schema; move it to components/schemas",
        ));
    }
    if let Some(entry) = node.entry("anyOf").or(node.entry("not")) {
        return Err(Fault::unsupported(
            &entry.at,
            format!("`{}` is not supported in a schema", entry.key),
        ));
    }
    let ty = match fields.need_text("type")? {
        "string" => read_scalar::text(&mut fields)?,
        "integer" => Type::Integer(read_scalar::integer(&mut fields)?),
        "number" => Type::Number(read_scalar::number(&mut fields)?),
        "boolean" => Type::Boolean,
        "array" => array(&mut fields)?,
        "object" => map(&mut fields)?,
        other => {
            return Err(Fault::unsupported(
                &node.at,
                format!("type `{other}` is not supported"),
            ));
        }
    };
    fields.finish()?;
    Ok(Typed {
        at: node.at.clone(),
        ty,
        nullable,
        doc,
    })
}

/// `allOf: [$ref]`, the 3.0 way to describe a reference or to let it be null.
fn annotated_reference(node: &Node) -> Outcome<Typed> {
    let mut fields = Fields::open(node, "an annotated reference")?;
    fields.allow(&["title", "example", "default"]);
    let doc = fields.text("description")?.map(str::to_owned);
    let nullable = fields.flag("nullable")?;
    let parts = fields.list("allOf")?;
    fields.finish()?;
    let name = match parts {
        [only] => schema_reference(only)?,
        _ => None,
    };
    let name = name.ok_or_else(|| {
        Fault::unsupported(&node.at, "`allOf` is supported around exactly one $ref")
    })?;
    Ok(Typed {
        at: node.at.clone(),
        ty: Type::Ref(name.to_owned()),
        nullable,
        doc,
    })
}

fn array(fields: &mut Fields<'_>) -> Outcome<Type> {
    let items = typed(fields.need("items")?)?;
    let rules = ArrayRules {
        min: fields.count("minItems")?,
        max: fields.count("maxItems")?,
        unique: fields.flag("uniqueItems")?,
    };
    Ok(Type::Array(Box::new(items), rules))
}

fn map(fields: &mut Fields<'_>) -> Outcome<Type> {
    let rules = MapRules {
        min: fields.count("minProperties")?,
        max: fields.count("maxProperties")?,
    };
    let values = fields.need("additionalProperties")?;
    match values.data {
        Data::Bool(true) if rules == MapRules::default() => Ok(Type::Free),
        Data::Map(_) => Ok(Type::Map(Box::new(typed(values)?), rules)),
        _ => Err(Fault::unsupported(
            &values.at,
            "an object without `properties` needs a schema, or true, as `additionalProperties`",
        )),
    }
}

fn kind(fields: &mut Fields<'_>, wanted: &str) -> Outcome<()> {
    let at = &fields.node().at;
    match fields.need_text("type")? {
        found if found == wanted => Ok(()),
        found => Err(Fault::unsupported(
            at,
            format!("type `{found}` is not supported here; it must be `{wanted}`"),
        )),
    }
}

fn bare(node: &Node, ty: Type) -> Typed {
    Typed {
        at: node.at.clone(),
        ty,
        nullable: false,
        doc: None,
    }
}

fn schema_reference(node: &Node) -> Outcome<Option<&str>> {
    match node.reference() {
        None => Ok(None),
        Some(target) => local_name(target).map(Some).ok_or_else(|| {
            Fault::unsupported(&node.at, format!("`{target}` must refer to a schema"))
        }),
    }
}

fn local_name(target: &str) -> Option<&str> {
    target.strip_prefix(SCHEMAS)
}
