//! Expressions that check a value against its bounds.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    contract::{Contract, Resolved},
    model::{IntRules, NumRules, Shape, Type},
};

/// Expressions of type `Result<(), Fault>` that check `value`, an expression of reference
/// type. None if every value of the Rust type is allowed.
pub(in crate::emit) fn checks(
    contract: &Contract,
    ty: &Type,
    value: &TokenStream,
) -> Vec<TokenStream> {
    match contract.resolve(ty) {
        Resolved::Named(named) => match named.shape {
            Shape::Object(_) | Shape::Union(_) => {
                vec![quote!(support::Validate::validate(#value))]
            }
            _ => Vec::new(),
        },
        Resolved::Plain(plain) => self::plain(contract, plain, value),
    }
}

fn plain(contract: &Contract, ty: &Type, value: &TokenStream) -> Vec<TokenStream> {
    let mut out = Vec::new();
    match ty {
        Type::Text(rules) => {
            if rules.min.is_some() || rules.max.is_some() {
                let (min, max) = (bound(rules.min, 0), bound(rules.max, u64::MAX));
                out.push(quote!(support::check::length(#value, #min, #max)));
            }
            if let Some(pattern) = &rules.pattern {
                out.push(quote!({
                    static PATTERN: support::check::Pattern = support::check::Pattern::new(#pattern);
                    PATTERN.check(#value)
                }));
            }
        }
        Type::Integer(rules) => out.extend(integer(*rules, value)),
        Type::Number(rules) => out.extend(number(*rules, value)),
        Type::Array(items, rules) => {
            if rules.min.is_some() || rules.max.is_some() {
                let (min, max) = (bound(rules.min, 0), bound(rules.max, u64::MAX));
                out.push(quote!(support::check::items(#value.len(), #min, #max)));
            }
            if rules.unique {
                out.push(quote!(support::check::unique(#value)));
            }
            let inner = nested(contract, &items.ty, items.nullable);
            out.extend(inner.map(|inner| quote!(support::check::each(#value, |value| #inner))));
        }
        Type::Map(values, rules) => {
            if rules.min.is_some() || rules.max.is_some() {
                let (min, max) = (bound(rules.min, 0), bound(rules.max, u64::MAX));
                out.push(quote!(support::check::entries(#value.len(), #min, #max)));
            }
            let inner = nested(contract, &values.ty, values.nullable);
            out.extend(
                inner.map(|inner| quote!(support::check::each_value(#value, |value| #inner))),
            );
        }
        Type::Ref(_) | Type::Uuid | Type::Boolean | Type::Free => {}
    }
    out
}

/// A block that checks one item, bound to `value`.
fn nested(contract: &Contract, ty: &Type, nullable: bool) -> Option<TokenStream> {
    let inner = checks(contract, ty, &quote!(value));
    if inner.is_empty() {
        return None;
    }
    Some(match nullable {
        true => quote!({ if let Some(value) = value { #(#inner?;)* } Ok(()) }),
        false => quote!({ #(#inner?;)* Ok(()) }),
    })
}

fn integer(rules: IntRules, value: &TokenStream) -> Option<TokenStream> {
    use crate::model::IntType::{I32, I64, U32, U64};
    let whole = match rules.ty {
        I32 => (i32::MIN.into(), i32::MAX.into()),
        I64 => (i64::MIN.into(), i64::MAX.into()),
        U32 => (0, u32::MAX.into()),
        U64 => (0, u64::MAX.into()),
    };
    if (rules.min, rules.max) == whole {
        return None;
    }
    let min = proc_macro2::Literal::i128_unsuffixed(rules.min);
    let max = proc_macro2::Literal::i128_unsuffixed(rules.max);
    Some(quote!(support::check::integer(i128::from(*#value), #min, #max)))
}

fn number(rules: NumRules, value: &TokenStream) -> Vec<TokenStream> {
    let mut out = Vec::new();
    if let Some((bound, open)) = rules.min {
        out.push(match open {
            true => quote!(support::check::above(*#value, #bound)),
            false => quote!(support::check::at_least(*#value, #bound)),
        });
    }
    if let Some((bound, open)) = rules.max {
        out.push(match open {
            true => quote!(support::check::below(*#value, #bound)),
            false => quote!(support::check::at_most(*#value, #bound)),
        });
    }
    out
}

fn bound(bound: Option<u64>, otherwise: u64) -> TokenStream {
    match bound.unwrap_or(otherwise) {
        u64::MAX => quote!(u64::MAX),
        bound => {
            let literal = proc_macro2::Literal::u64_unsuffixed(bound);
            quote!(#literal)
        }
    }
}
