//! Reads path items and operations.

use super::{
    operation::{Body, Operation, Read, Requirement, Scope, Sse},
    parameter::{self, Param},
    read_response,
    schema::Type,
};
use crate::{
    fault::{Fault, Outcome},
    yaml::{Data, Fields, Node, Place},
};

/// Bytes that a request body may have if its operation does not say.
const BODY_LIMIT_BYTES: u64 = 1024 * 1024;

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// Reads one path item.
pub(super) fn path_item(
    document: &Node,
    path: &str,
    node: &Node,
    security: Option<&Node>,
) -> Outcome<Vec<Outcome<Operation>>> {
    let mut fields = Fields::open(node, "a path item")?;
    let shared = fields.list("parameters")?;
    let mut operations = Vec::new();
    for method in METHODS {
        if let Some(node) = fields.get(method) {
            let site = Site {
                document,
                path,
                method,
                shared,
                security,
            };
            operations.push(operation(&site, node));
        }
    }
    fields.finish()?;
    Ok(operations)
}

/// What surrounds an operation.
struct Site<'a> {
    document: &'a Node,
    path: &'a str,
    method: &'a str,
    shared: &'a [Node],
    security: Option<&'a Node>,
}

fn operation(site: &Site<'_>, node: &Node) -> Outcome<Operation> {
    let mut fields = Fields::open(node, "an operation")?;
    let id = fields.need_text("operationId")?.to_owned();
    let tags = fields.texts("tags")?;
    let [tag] = tags.as_slice() else {
        return Err(Fault::new(
            "one-tag",
            &node.at,
            format!("`{id}` has {} tags; give it exactly one", tags.len()),
        ));
    };
    let summary = fields.text("summary")?.map(str::to_owned);
    let doc = fields.text("description")?.map(str::to_owned);
    let req_ids = fields.list("x-req-id")?;
    let req_ids = req_ids.iter().map(req_id).collect::<Outcome<_>>()?;
    let security = fields.get("security").or(site.security);
    let security = security.map(requirements).transpose()?;
    let scope = scope(&mut fields)?;
    let read = read(&mut fields)?;
    let params = params(site, fields.list("parameters")?)?;
    check_path(site, node, &params)?;
    let limit = fields.count("x-body-limit-bytes")?;
    let mut examples = Vec::new();
    let body = fields
        .get("requestBody")
        .map(|body| self::body(body, limit, &mut examples))
        .transpose()?;
    if limit.is_some() && body.is_none() {
        return Err(Fault::unsupported(
            &node.at,
            "`x-body-limit-bytes` without a requestBody",
        ));
    }
    let sse = sse(&mut fields)?;
    let responses = fields.need("responses")?;
    let responses = read_response::responses(site.document, responses, &mut examples)?;
    fields.finish()?;
    Ok(Operation {
        at: node.at.clone(),
        id,
        tag: (*tag).to_owned(),
        method: site.method.to_owned(),
        path: site.path.to_owned(),
        summary,
        doc,
        req_ids,
        security,
        scope,
        read,
        params,
        body,
        replies: responses.replies,
        problems: responses.problems,
        problem_headers: responses.problem_headers,
        sse,
        examples,
    })
}

fn req_id(node: &Node) -> Outcome<(String, Place)> {
    match node.as_text() {
        Some(id) => Ok((id.to_owned(), node.at.clone())),
        None => Err(Fault::unsupported(
            &node.at,
            "an id in `x-req-id` must be a text",
        )),
    }
}

fn scope(fields: &mut Fields<'_>) -> Outcome<Option<Scope>> {
    match fields.text("x-scope")? {
        None => Ok(None),
        Some("any") => Ok(Some(Scope::Any)),
        Some("backup") => Ok(Some(Scope::Backup)),
        Some("node") => Ok(Some(Scope::Node)),
        Some("operator") => Ok(Some(Scope::Operator)),
        Some("user") => Ok(Some(Scope::User)),
        Some(other) => Err(Fault::unsupported(
            &fields.node().at,
            format!(
                "`x-scope: {other}` is not supported; it is `any`, `backup`, `node`, `operator` or `user`"
            ),
        )),
    }
}

fn read(fields: &mut Fields<'_>) -> Outcome<Option<Read>> {
    match fields.text("x-read")? {
        None => Ok(None),
        Some("live") => Ok(Some(Read::Live)),
        Some("record") => Ok(Some(Read::Record)),
        Some(other) => Err(Fault::unsupported(
            &fields.node().at,
            format!("`x-read: {other}` is not supported; it is `live` or `record`"),
        )),
    }
}

fn requirements(node: &Node) -> Outcome<Vec<Requirement>> {
    let Data::Seq(items) = &node.data else {
        return Err(Fault::unsupported(&node.at, "`security` must be a list"));
    };
    items
        .iter()
        .map(|item| {
            let schemes = item
                .as_map()
                .ok_or_else(|| Fault::unsupported(&item.at, "a requirement must be a mapping"))?;
            let schemes = schemes
                .iter()
                .map(|entry| match &entry.value.data {
                    Data::Seq(scopes) => {
                        let scopes = scopes.iter().filter_map(Node::as_text);
                        Ok((entry.key.clone(), scopes.map(str::to_owned).collect()))
                    }
                    _ => Err(Fault::unsupported(&entry.at, "scopes must be a list")),
                })
                .collect::<Outcome<_>>()?;
            Ok(Requirement(schemes))
        })
        .collect()
}

fn params(site: &Site<'_>, own: &[Node]) -> Outcome<Vec<Param>> {
    let mut params: Vec<Param> = Vec::new();
    for node in site.shared.iter().chain(own) {
        let target = read_response::resolve(site.document, node, "parameters")?;
        let param = parameter::read(target)?;
        if params
            .iter()
            .any(|other| crate::naming::field(&other.name) == crate::naming::field(&param.name))
        {
            return Err(Fault::unsupported(
                &node.at,
                format!("two parameters are called `{}`", param.name),
            ));
        }
        params.push(param);
    }
    Ok(params)
}

/// Path parameters must be exactly the braces of the path, each filling its segment.
fn check_path(site: &Site<'_>, node: &Node, params: &[Param]) -> Outcome<()> {
    let mut braces = Vec::new();
    for segment in site.path.split('/') {
        match segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) => braces.push(name),
            None if segment.contains(['{', '}']) => {
                return Err(Fault::unsupported(
                    &node.at,
                    format!("`{segment}`: a path parameter must fill its segment"),
                ));
            }
            None => {}
        }
    }
    let declared = |param: &&Param| param.source == parameter::Source::Path;
    let missing = braces
        .iter()
        .find(|name| !params.iter().filter(declared).any(|p| p.name == **name));
    if let Some(name) = missing {
        return Err(Fault::unsupported(
            &node.at,
            format!("the path parameter `{name}` is not declared"),
        ));
    }
    let extra = params
        .iter()
        .filter(declared)
        .find(|param| !braces.contains(&param.name.as_str()));
    match extra {
        None => Ok(()),
        Some(param) => Err(Fault::unsupported(
            &param.at,
            format!("`{}` does not stand in the path {}", param.name, site.path),
        )),
    }
}

fn body(
    node: &Node,
    limit: Option<u64>,
    examples: &mut Vec<super::operation::Example>,
) -> Outcome<Body> {
    let mut fields = Fields::open(node, "a request body")?;
    fields.allow(&["description"]);
    let required = fields.flag("required")?;
    let content = fields.map("content")?;
    fields.finish()?;
    if !required {
        return Err(Fault::unsupported(
            &node.at,
            "an optional request body is not supported; say `required: true`",
        ));
    }
    let [media] = content else {
        return Err(Fault::unsupported(
            &node.at,
            "a request body must have exactly one media type",
        ));
    };
    if media.key != "application/json" {
        return Err(Fault::unsupported(
            &media.at,
            format!(
                "a request body of `{}` is not supported; use application/json",
                media.key
            ),
        ));
    }
    let typed = read_response::media(&media.value, true, examples)?;
    match typed.ty {
        Type::Ref(schema) if !typed.nullable => Ok(Body {
            at: node.at.clone(),
            schema,
            limit_bytes: limit.unwrap_or(BODY_LIMIT_BYTES),
        }),
        _ => Err(Fault::unsupported(
            &media.at,
            "the schema of a request body must be a $ref to a named schema",
        )),
    }
}

fn sse(fields: &mut Fields<'_>) -> Outcome<Option<Sse>> {
    let extensible = fields.flag("x-sse-extensible")?;
    let terminal = fields.texts("x-sse-terminal")?;
    let entries = fields.map("x-sse-events")?;
    if entries.is_empty() {
        return match extensible || !terminal.is_empty() {
            false => Ok(None),
            true => Err(Fault::unsupported(
                &fields.node().at,
                "`x-sse-extensible` and `x-sse-terminal` need `x-sse-events`",
            )),
        };
    }
    let events = entries
        .iter()
        .map(|entry| match super::read_schema::typed(&entry.value)?.ty {
            Type::Ref(schema) => Ok((entry.key.clone(), schema)),
            _ => Err(Fault::unsupported(
                &entry.at,
                "an event must be a $ref to a named schema",
            )),
        })
        .collect::<Outcome<Vec<_>>>()?;
    if let Some(name) = terminal
        .iter()
        .find(|name| !events.iter().any(|(event, _)| event == *name))
    {
        return Err(Fault::unsupported(
            &fields.node().at,
            format!("`x-sse-terminal` names `{name}`, which is no event"),
        ));
    }
    Ok(Some(Sse {
        events,
        terminal: terminal.into_iter().map(str::to_owned).collect(),
        extensible,
    }))
}
