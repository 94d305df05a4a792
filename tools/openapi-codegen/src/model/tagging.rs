//! Moves the tagging property out of the variants of unions.

use std::collections::BTreeMap;

use super::schema::{Named, Shape, Type, Typed};
use crate::fault::{Fault, Outcome};

/// Takes the tagging property out of each variant, and the enumeration that reading made of it
/// out of the schemas. Each variant must be used by its one union and by nothing else.
pub(super) fn tag_variants(schemas: &mut BTreeMap<String, Named>) -> Outcome<()> {
    let mut unions = Vec::new();
    for named in schemas.values() {
        if let Shape::Union(union) = &named.shape {
            for variant in &union.variants {
                let key = (union.tag.clone(), variant.tag.clone());
                unions.push((named.clone(), key, variant.schema.clone()));
            }
        }
    }
    for (union, (tag, value), schema) in unions {
        refuse_direct_use(schemas, &union, &schema)?;
        let fault = |why: &str| {
            Fault::unsupported(
                &union.at,
                format!("the variant `{schema}` of `{}` {why}", union.name),
            )
        };
        let named = schemas
            .get_mut(&schema)
            .ok_or_else(|| fault("does not exist"))?;
        let Shape::Object(object) = &mut named.shape else {
            return Err(fault("must be an object with properties"));
        };
        if object.tagged.is_some() {
            return Err(fault("belongs to another union already"));
        }
        let place = object
            .properties
            .iter()
            .position(|property| {
                property.name == tag
                    && property.required
                    && property.tag.as_deref() == Some(value.as_str())
            })
            .ok_or_else(|| {
                fault(&format!(
                    "must require a property `{tag}` with `enum: [{value}]`"
                ))
            })?;
        let property = object.properties.remove(place);
        object.tagged = Some((tag, value));
        if let Type::Ref(synthetic) = property.typed.ty {
            schemas.remove(&synthetic);
        }
    }
    Ok(())
}

fn refuse_direct_use(
    schemas: &BTreeMap<String, Named>,
    union: &Named,
    variant: &str,
) -> Outcome<()> {
    for named in schemas.values() {
        let found = match &named.shape {
            Shape::Object(object) => object
                .properties
                .iter()
                .find_map(|property| mentions(&property.typed, variant)),
            Shape::Alias(typed) => mentions(typed, variant),
            Shape::Union(other) if other.variants.iter().any(|v| v.schema == variant) => {
                (named.name != union.name).then_some(typed_place(named))
            }
            Shape::Union(_) | Shape::Enumeration(_) => None,
        };
        if let Some(at) = found {
            return Err(Fault::unsupported(
                at,
                format!(
                    "`{variant}` is a variant of `{}` and cannot be used by itself",
                    union.name
                ),
            ));
        }
    }
    Ok(())
}

fn typed_place(named: &Named) -> &crate::yaml::Place {
    &named.at
}

fn mentions<'a>(typed: &'a Typed, name: &str) -> Option<&'a crate::yaml::Place> {
    match &typed.ty {
        Type::Ref(found) => (found == name).then_some(&typed.at),
        Type::Array(inner, _) | Type::Map(inner, _) => mentions(inner, name),
        _ => None,
    }
}
