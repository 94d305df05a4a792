//! Reads replies.

use super::{
    operation::Example,
    read_schema,
    response::{Content, Header, Reply},
    schema::{Type, Typed},
};
use crate::{
    fault::{Fault, Outcome},
    yaml::{Entry, Fields, Node},
};

/// The one reply that every refusal refers to.
const PROBLEM: &str = "#/components/responses/Problem";

/// The replies of one operation.
pub(super) struct Responses {
    pub(super) replies: Vec<Reply>,
    pub(super) problems: Vec<u16>,
    pub(super) problem_headers: Vec<Header>,
}

/// Follows a local reference to a component of the given kind, or gives the node itself.
pub(super) fn resolve<'a>(document: &'a Node, node: &'a Node, kind: &str) -> Outcome<&'a Node> {
    let Some(target) = node.reference() else {
        return Ok(node);
    };
    target
        .strip_prefix("#/components/")
        .and_then(|rest| rest.strip_prefix(kind)?.strip_prefix('/'))
        .and_then(|name| document.get("components")?.get(kind)?.get(name))
        .ok_or_else(|| {
            Fault::unsupported(&node.at, format!("`{target}` must refer to one of {kind}"))
        })
}

/// Reads `responses`.
pub(super) fn responses(
    document: &Node,
    node: &Node,
    examples: &mut Vec<Example>,
) -> Outcome<Responses> {
    let mut out = Responses {
        replies: Vec::new(),
        problems: Vec::new(),
        problem_headers: Vec::new(),
    };
    let entries = node
        .as_map()
        .ok_or_else(|| Fault::unsupported(&node.at, "`responses` must be a mapping"))?;
    for entry in entries {
        let status = status(entry)?;
        if status < 400 {
            let target = resolve(document, &entry.value, "responses")?;
            out.replies.push(reply(document, target, status, examples)?);
            continue;
        }
        if entry.value.reference() != Some(PROBLEM) {
            return Err(Fault::new(
                "one-problem",
                &entry.at,
                format!("{status} must refer to the one response called `Problem`"),
            ));
        }
        if out.problems.is_empty() {
            let target = resolve(document, &entry.value, "responses")?;
            out.problem_headers = problem(document, target, examples)?;
        }
        out.problems.push(status);
    }
    Ok(out)
}

fn status(entry: &Entry) -> Outcome<u16> {
    match entry.key.parse::<u16>() {
        Ok(status @ (200..=299 | 400..=599)) => Ok(status),
        _ => Err(Fault::new(
            "concrete-codes",
            &entry.at,
            format!(
                "`{}` must be a concrete status of class 2, 4 or 5",
                entry.key
            ),
        )),
    }
}

fn reply(document: &Node, node: &Node, status: u16, examples: &mut Vec<Example>) -> Outcome<Reply> {
    let mut fields = Fields::open(node, "a response")?;
    let doc = fields.text("description")?.map(str::to_owned);
    let headers = headers(document, fields.map("headers")?)?;
    let content = fields.map("content")?;
    fields.finish()?;
    let content = match content {
        [] => Content::Nothing,
        [media] => match media.key.as_str() {
            "application/json" => Content::Json(self::media(&media.value, false, examples)?),
            "text/plain" => plain(&media.value, Content::Text)?,
            "text/event-stream" => plain(&media.value, Content::Events)?,
            other => {
                return Err(Fault::unsupported(
                    &media.at,
                    format!("a reply of `{other}` is not supported"),
                ));
            }
        },
        [_, second, ..] => {
            return Err(Fault::unsupported(
                &second.at,
                "a reply must have one media type",
            ));
        }
    };
    Ok(Reply {
        at: node.at.clone(),
        status,
        doc,
        headers,
        content,
    })
}

fn problem(document: &Node, node: &Node, examples: &mut Vec<Example>) -> Outcome<Vec<Header>> {
    let mut fields = Fields::open(node, "the Problem response")?;
    fields.allow(&["description"]);
    let headers = headers(document, fields.map("headers")?)?;
    let content = fields.map("content")?;
    fields.finish()?;
    match content {
        [media] if media.key == "application/problem+json" => {
            match self::media(&media.value, false, examples)?.ty {
                Type::Ref(name) if name == "Problem" => Ok(headers),
                _ => Err(Fault::new(
                    "one-problem",
                    &media.at,
                    "the schema of the Problem response must be the schema `Problem`",
                )),
            }
        }
        _ => Err(Fault::new(
            "one-problem",
            &node.at,
            "the Problem response must be application/problem+json alone",
        )),
    }
}

fn plain(node: &Node, content: Content) -> Outcome<Content> {
    let mut fields = Fields::open(node, "a media type")?;
    fields.allow(&["example"]);
    let schema = read_schema::typed(fields.need("schema")?)?;
    fields.finish()?;
    match schema.ty {
        Type::Text(rules) if rules == Default::default() => Ok(content),
        _ => Err(Fault::unsupported(
            &schema.at,
            "the schema of this media type must be a plain string",
        )),
    }
}

/// Reads a JSON media type and collects its examples.
pub(super) fn media(node: &Node, in_request: bool, examples: &mut Vec<Example>) -> Outcome<Typed> {
    let mut fields = Fields::open(node, "a media type")?;
    let typed = read_schema::typed(fields.need("schema")?)?;
    let single = fields.get("example");
    let many = fields.map("examples")?;
    fields.finish()?;
    let mut values: Vec<&Node> = single.into_iter().collect();
    for entry in many {
        let mut fields = Fields::open(&entry.value, "an example")?;
        fields.allow(&["summary", "description"]);
        values.push(fields.need("value")?);
        fields.finish()?;
    }
    if let Type::Ref(schema) = &typed.ty {
        examples.extend(values.into_iter().map(|value| Example {
            schema: schema.clone(),
            in_request,
            value: value.clone(),
        }));
    }
    Ok(typed)
}

/// Reads headers, leaving out those that a middleware sets on every reply.
fn headers(document: &Node, entries: &[Entry]) -> Outcome<Vec<Header>> {
    let mut headers = Vec::new();
    for entry in entries {
        let target = resolve(document, &entry.value, "headers")?;
        let mut fields = Fields::open(target, "a header")?;
        fields.allow(&["example"]);
        let by_middleware = fields.flag("x-middleware")?;
        let header = Header {
            name: entry.key.clone(),
            required: fields.flag("required")?,
            doc: fields.text("description")?.map(str::to_owned),
            typed: read_schema::typed(fields.need("schema")?)?,
        };
        fields.finish()?;
        let scalar = matches!(
            header.typed.ty,
            Type::Text(_) | Type::Uuid | Type::Integer(_) | Type::Boolean
        );
        if !scalar || header.typed.nullable {
            return Err(Fault::unsupported(
                &target.at,
                "a header must be a string, integer, boolean or uuid",
            ));
        }
        if !by_middleware {
            headers.push(header);
        }
    }
    Ok(headers)
}
