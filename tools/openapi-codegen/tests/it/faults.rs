//! Faults: each row changes one text of a sound contract, and names the fault that must come.

use openapi_codegen::output;

use crate::layout::{lay_out, lay_out_files};

const SAMPLE: &str = include_str!("../sample.yaml");
const FILE: &str = "contracts/openapi/sample/openapi.yaml";

/// What is replaced, by what, how the line of the fault begins, and the fault.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// The faults of a contract, as the command prints them.
fn faults(document: &str) -> Vec<String> {
    match output::make(lay_out(document).path()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// Each row must yield its fault, at the line that it names, and nothing else.
fn check(rows: &[Row]) {
    for (from, to, line, want) in rows {
        assert!(
            SAMPLE.contains(from),
            "{from:?} does not stand in the sample"
        );
        let document = SAMPLE.replacen(from, to, 1);
        let at = number(&document, line);
        let found = faults(&document);
        assert_eq!(
            found,
            [format!("{FILE}:{at}: {want}")],
            "after {from:?} -> {to:?}"
        );
    }
}

/// The number of the first line that begins with a text, less its indentation.
fn number(document: &str, line: &str) -> usize {
    let mut lines = document.lines();
    let index = lines.position(|found| found.trim_start().starts_with(line));
    index.unwrap_or_else(|| panic!("{line:?} does not stand in the document")) + 1
}

#[test]
fn the_sample_is_sound() {
    assert_eq!(faults(SAMPLE), [""; 0]);
}

const UNSUPPORTED: &[Row] = &[
    (
        "openapi: 3.0.3",
        "openapi: 3.1.0",
        "openapi: 3.1.0",
        "[unsupported] OpenAPI 3.1.0 is not supported; use 3.0.3",
    ),
    (
        "      x-body-limit-bytes: 4096",
        "      callbacks: {}",
        "callbacks: {}",
        "[unsupported] `callbacks` is not supported in an operation",
    ),
    (
        "application/json:\n            schema: { $ref: '#/components/schemas/ThingCreateRequest' }",
        "multipart/form-data:\n            schema: { $ref: '#/components/schemas/ThingCreateRequest' }",
        "multipart/form-data:",
        "[unsupported] a request body of `multipart/form-data` is not supported; use application/json",
    ),
    (
        "        required: true\n        content:",
        "        content:",
        "content:",
        "[unsupported] an optional request body is not supported; say `required: true`",
    ),
    (
        "          in: path",
        "          in: cookie",
        "- name: id",
        "[unsupported] a parameter in `cookie` is not supported",
    ),
    (
        "  /v1/things/{id}:",
        "  /v1/things/{id}:remove:",
        "operationId: thing_delete",
        "[unsupported] `{id}:remove`: a path parameter must fill its segment",
    ),
    (
        "  /v1/things/{id}:",
        "  /v1/things/{name}:",
        "operationId: thing_delete",
        "[unsupported] the path parameter `name` is not declared",
    ),
    (
        "        name: { type: string, minLength: 1, maxLength: 64, description: Its name. }",
        "        name: { type: string, format: email, description: Its name. }",
        "name: { type: string, format: email, description: Its name. }",
        "[unsupported] format `email` of a string is not supported; use uuid, or a pattern",
    ),
    (
        "pattern: '^[0-9]+$'",
        "pattern: '^\\d+$'",
        "schema: { type: string, pattern: '^\\d+$' }",
        "[unsupported] pattern `^\\d+$`: only punctuation may be escaped; write a class such as [0-9] instead of \\d",
    ),
    (
        "radius: { type: integer, format: int32, minimum: 1,",
        "radius: { type: number, format: float, minimum: 1,",
        "radius: { type: number, format: float, minimum: 1, description: Its radius. }",
        "[unsupported] format `float` of a number is not supported; use double",
    ),
    (
        "radius: { type: integer, format: int32, minimum: 1,",
        "radius: { type: integer, format: int32, maximum: 3000000000,",
        "radius: { type: integer, format: int32, maximum: 3000000000, description: Its radius. }",
        "[unsupported] the bounds -2147483648..=3000000000 do not fit the format",
    ),
    (
        "radius: { type: integer, format: int32, minimum: 1,",
        "radius: { type: integer, multipleOf: 2,",
        "radius: { type: integer, multipleOf: 2, description: Its radius. }",
        "[unsupported] `multipleOf` is not supported in a schema",
    ),
    (
        "sizes: { type: array, items: { type: integer, minimum: 0 }",
        "sizes: { type: array, items: { type: object, properties: {} }",
        "sizes: { type: array, items: { type: object, properties: {} }, description: Its sizes. }",
        "[unsupported] an enumeration, union or object in this place must be a named schema; move it to components/schemas",
    ),
    (
        "sizes: { type: array, items: { type: integer, minimum: 0 }",
        "sizes: { anyOf: [{ type: string }]",
        "sizes: { anyOf: [{ type: string }], description: Its sizes. }",
        "[unsupported] `anyOf` is not supported in a schema",
    ),
    (
        "      discriminator: { propertyName: kind, mapping: { round: '#/components/schemas/ThingRound' } }\n",
        "",
        "description: Its shape.",
        "[unsupported] `discriminator` is missing; a union needs it",
    ),
    (
        "kind: { type: string, enum: [round], description: Always round. }",
        "kind: { type: string, description: Always round. }",
        "ThingShape:",
        "[unsupported] the variant `ThingRound` of `ThingShape` must require a property `kind` with `enum: [round]`",
    ),
    (
        "        mode: { $ref: '#/components/schemas/ThingMode' }",
        "        mode: { $ref: '#/components/schemas/ThingMode' }\n        round: { $ref: '#/components/schemas/ThingRound' }",
        "round: { $ref: '#/components/schemas/ThingRound' }",
        "[unsupported] `ThingRound` is a variant of `ThingShape` and cannot be used by itself",
    ),
    (
        "      required: [why]",
        "      required: [why, when]",
        "required: [why, when]",
        "[unsupported] `when` is required but is no property",
    ),
    (
        "why: { type: string, description: Why. }",
        "why: { $ref: '#/components/schemas/ThingEnd' }",
        "ThingEnd:",
        "[unsupported] `ThingEnd` holds itself; that is supported inside a list or map only",
    ),
    (
        "Why. }",
        "Why, then. }",
        "why: { type: string, description: Why, then. }",
        "[unsupported] `then.` is not supported in a schema",
    ),
];

#[test]
fn an_unknown_construct_is_named_with_its_line() {
    check(UNSUPPORTED);
}

const OPERATIONS: &[Row] = &[
    (
        "operationId: thing_create",
        "operationId: create_thing",
        "operationId: create_thing",
        "[operation-id] `create_thing` must begin with a noun of its tag: thing",
    ),
    (
        "operationId: thing_create",
        "operationId: thingCreate",
        "operationId: thingCreate",
        "[operation-id] `thingCreate` must be <noun>_<verb> in lower case with underscores",
    ),
    (
        "tags: [things]",
        "tags: [things, others]",
        "operationId: thing_create",
        "[one-tag] `thing_create` has 2 tags; give it exactly one",
    ),
    (
        "tags: [things]",
        "tags: [others]",
        "operationId: thing_create",
        "[tag] the tag `others` is not declared in the root",
    ),
    (
        "    x-nouns: [thing]",
        "    x-nouns: [thing]\n  - name: others\n    description: None.",
        "- name: others",
        "[tag] no operation has the tag `others`",
    ),
    (
        "[ORCH-2001, ORCHX-THING-1]",
        "[ORCH-201]",
        "x-req-id: [ORCH-201]",
        "[x-req-id] `ORCH-201` must be ORCH-dddd or ORCHX-NAME",
    ),
    (
        "[ORCH-2001, ORCHX-THING-1]",
        "[ORCH\u{2011}2001]",
        "x-req-id: [ORCH‑2001]",
        "[x-req-id] `ORCH\u{2011}2001` holds U+2011; write a plain hyphen (U+002D)",
    ),
    (
        "[ORCH-2001, ORCHX-THING-1]",
        "[ORCH-2001, ORCH-2001]",
        "x-req-id: [ORCH-2001, ORCH-2001]",
        "[x-req-id] `ORCH-2001` stands there twice",
    ),
    (
        "      x-req-id: [ORCH-2001, ORCHX-THING-1]\n",
        "",
        "operationId: thing_create",
        "[x-req-id] `thing_create` must name its requirements",
    ),
    (
        "      description: Makes it.\n",
        "",
        "operationId: thing_create",
        "[description] `thing_create` must be described",
    ),
];

#[test]
fn the_rules_of_operations_hold() {
    check(OPERATIONS);
}

const REPLIES: &[Row] = &[
    (
        "        '204': { description: Gone. }",
        "        2XX: { description: Gone. }",
        "2XX: { description: Gone. }",
        "[concrete-codes] `2XX` must be a concrete status of class 2, 4 or 5",
    ),
    (
        "        '204': { description: Gone. }",
        "        default: { description: Gone. }",
        "default: { description: Gone. }",
        "[concrete-codes] `default` must be a concrete status of class 2, 4 or 5",
    ),
    (
        "        '204': { description: Gone. }\n",
        "",
        "operationId: thing_delete",
        "[one-success] `thing_delete` has no status of class 2",
    ),
    (
        "        '204': { description: Gone. }\n        '400'",
        "        '204': { description: Gone. }\n        '404': { description: Not there. }\n        '400'",
        "'404': { description: Not there. }",
        "[one-problem] 404 must refer to the one response called `Problem`",
    ),
    (
        "        '413': { $ref: '../planes/problem.yaml#/components/responses/Problem' }\n",
        "",
        "operationId: thing_create",
        "[refusals] `thing_create` must list 413: its body may be too large",
    ),
    (
        "    delete:\n      operationId: thing_delete",
        "    put:\n      operationId: thing_delete",
        "operationId: thing_delete",
        "[one-success] `thing_delete`: only a stream or a DELETE may answer 204",
    ),
];

#[test]
fn the_rules_of_replies_hold() {
    check(REPLIES);
}

const EXAMPLES: &[Row] = &[
    (
        "            example: { name: a, shape: { kind: round, radius: 2 }, mode: fast }\n",
        "",
        "required: true",
        "[example] the body of `thing_create` must have an example",
    ),
    (
        "radius: 2 }",
        "radius: 0 }",
        "example: { name: a, shape: { kind: round, radius: 0 }, mode: fast }",
        "[example] /shape/radius does not fit `ThingCreateRequest`: 0 is less than the minimum of 1",
    ),
    (
        "state: new, sizes: [1] }",
        "state: lost, sizes: [1] }",
        "example: { id: 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a, state: lost, sizes: [1] }",
        "[example] /state does not fit `Thing`: \"lost\" is not one of \"new\" or \"old\"",
    ),
    (
        "state: new, sizes: [1] }",
        "state: new, size: 1 }",
        "example: { id: 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a, state: new, size: 1 }",
        "[example] the example does not fit `Thing`: Additional properties are not allowed ('size' was unexpected)",
    ),
];

#[test]
fn the_rules_of_examples_hold() {
    check(EXAMPLES);
}

const SCHEMAS: &[Row] = &[
    (
        "schema: { type: string, pattern: '^[0-9]+$' }",
        "schema: { type: string, pattern: '^[0-9]+$', default: new }",
        "schema: { type: string, pattern: '^[0-9]+$'",
        "[default] the default of `Last-Event-ID` does not fit: \"new\" does not match \"^[0-9]+$\"",
    ),
    (
        "schema: { $ref: '#/components/schemas/Thing' }\n              example: { id: 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a, state: new, sizes: [1] }",
        "schema: { $ref: '#/components/schemas/Echo' }\n              example: { thing: { id: 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a, state: new } }",
        "schema: { $ref: '#/components/schemas/Echo' }",
        "[reference] `#/components/schemas/Echo` names nothing",
    ),
    (
        "    ThingMode: { type: string,",
        "    ThingMode: { type: string, x-extensible: true,",
        "ThingMode: { type: string, x-extensible: true, enum: [fast, slow], description: How. }",
        "[extensible] `ThingMode` travels in requests, which are closed; take x-extensible away",
    ),
    (
        "    ThingCreateRequest:\n      type: object\n      additionalProperties: false\n",
        "    ThingCreateRequest:\n      type: object\n",
        "ThingCreateRequest:",
        "[closed-requests] `ThingCreateRequest` travels in requests; say `additionalProperties: false`",
    ),
    (
        "      description: The end.\n",
        "      description: The end.\n      additionalProperties: false\n",
        "ThingEnd:",
        "[closed-requests] `ThingEnd` travels in replies, which may grow; take `additionalProperties: false` away",
    ),
    (
        "    ThingEnd:\n",
        "    Unused: { type: string, description: Nothing. }\n    ThingEnd:\n",
        "Unused: { type: string, description: Nothing. }",
        "[orphan] nothing refers to `Unused` of schemas",
    ),
    (
        "enum: [fast, slow]",
        "enum: [fast, fa-st, fa_st]",
        "ThingMode: { type: string, enum: [fast, fa-st, fa_st], description: How. }",
        "[name-taken] `fa-st` and `fa_st` of `ThingMode` both become `FaSt` in Rust",
    ),
    (
        "enum: [new, old]",
        "enum: [new, unknown]",
        "ThingState: { type: string, x-extensible: true, enum: [new, unknown], description: Where it stands. }",
        "[name-taken] `the arm for what is not listed` and `unknown` of `ThingState` both become `Unknown` in Rust",
    ),
    (
        "why: { type: string, description: Why. }",
        "why: { type: string }",
        "why: { type: string }",
        "[description] `why` of `ThingEnd` must be described",
    ),
];

#[test]
fn the_rules_of_schemas_hold() {
    check(SCHEMAS);
}

#[test]
fn every_operation_has_its_own_name_and_says_who_may_call_it() {
    let twice = SAMPLE.replacen("operationId: thing_delete", "operationId: thing_create", 1);
    let other = number(SAMPLE, "operationId: thing_delete");
    let first = number(SAMPLE, "operationId: thing_create");
    let want =
        format!("{FILE}:{other}: [operation-id] `thing_create` also stands at {FILE}:{first}");
    assert_eq!(faults(&twice), [want]);

    let silent = SAMPLE.replacen("security: []\n", "", 1);
    let found = faults(&silent);
    assert_eq!(found.len(), 3, "one for each operation: {found:?}");
    assert!(
        found[0].ends_with(
            "[security] `thing_create` must declare `security`, or its document must; \
             [] means that anybody may call"
        ),
        "{found:?}"
    );

    let secured = "      security: [{ bearer: [] }]\n      summary: Make a thing\n";
    let secured = SAMPLE.replacen("      summary: Make a thing\n", secured, 1);
    let want = |fault: &str| format!("{FILE}:{first}: {fault}");
    assert_eq!(
        faults(&secured),
        [
            want("[refusals] `thing_create` must list 401: its caller may be unknown"),
            want("[refusals] `thing_create` must list 403: its caller may lack the scope"),
            want("[refusals] `thing_create` must list 429: its caller may have tried too often"),
            want(
                "[security] `thing_create` must say with `x-scope` what its caller must be allowed to; `any` lets in every caller who is known"
            ),
            want("[security] the security scheme `bearer` is not declared"),
        ]
    );

    let open = "      x-scope: user\n      summary: Make a thing\n";
    let open = SAMPLE.replacen("      summary: Make a thing\n", open, 1);
    assert_eq!(
        faults(&open),
        [want(
            "[security] `thing_create` has an `x-scope`, but anybody may call it"
        )]
    );
    let strange = "      x-scope: king\n      summary: Make a thing\n";
    let strange = SAMPLE.replacen("      summary: Make a thing\n", strange, 1);
    let found = faults(&strange);
    assert!(
        found[0].contains("`x-scope: king` is not supported"),
        "{found:?}"
    );
}

#[test]
fn an_object_serves_one_direction() {
    let both = SAMPLE.replacen(
        "        sizes: {",
        "        shape: { $ref: '#/components/schemas/ThingShape' }\n        sizes: {",
        1,
    );
    let want = |line: usize, name: &str| {
        format!(
            "{FILE}:{line}: [both-directions] `{name}` travels in requests and in replies; give each its own schema"
        )
    };
    assert_eq!(
        faults(&both),
        [
            want(number(&both, "ThingShape:"), "ThingShape"),
            want(number(&both, "ThingRound:"), "ThingRound")
        ]
    );
}

const STREAMS: &[Row] = &[
    (
        "        - name: Last-Event-ID\n          in: header\n          description: Where to go on.\n          schema: { type: string, pattern: '^[0-9]+$' }\n",
        "",
        "operationId: thing_stream",
        "[stream] `thing_stream`: a reader comes back with the header Last-Event-ID; declare it",
    ),
    (
        "      x-sse-terminal: [end]\n",
        "",
        "operationId: thing_stream",
        "[stream] `thing_stream`: `x-sse-terminal` must name the events after which it ends",
    ),
    (
        "x-sse-terminal: [end]",
        "x-sse-terminal: [stop]",
        "operationId: thing_stream",
        "[unsupported] `x-sse-terminal` names `stop`, which is no event",
    ),
    (
        "content: { text/event-stream: { schema: { type: string } } } }",
        "content: { text/plain: { schema: { type: string } } } }",
        "operationId: thing_stream",
        "[stream] `thing_stream`: `x-sse-events` needs a reply of text/event-stream",
    ),
];

#[test]
fn the_rules_of_streams_hold() {
    check(STREAMS);
}

#[test]
fn references_between_files_are_followed_and_faults_stay_in_their_file() {
    let root = SAMPLE.replacen(
        "  /v1/things/{id}:\n    delete:",
        "  /v1/others:\n    $ref: 'others.yaml#/paths/~1v1~1others'\n  /v1/things/{id}:\n    delete:",
        1,
    );
    let others = "paths:
  /v1/others:
    put:
      operationId: thing_other
      tags: [things]
      x-odd: 1
  /v1/lost: {}
components:
  schemas:
    Thing: { type: string, description: Taken. }
";
    let laid_out = lay_out_files(&[
        ("sample/openapi.yaml", &root),
        ("sample/others.yaml", others),
    ]);
    let found = output::make(laid_out.path()).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "contracts/openapi/sample/others.yaml:4: [unsupported] `responses` is missing; an operation needs it"
    );
    let sound = others.replace(
        "      x-odd: 1\n",
        "      summary: Other
      description: Other.
      x-req-id: [ORCH-2004]
      responses:
        '200':
          description: Other.
          content: { text/plain: { schema: { type: string } } }
        '406': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
        '500': { $ref: '../planes/problem.yaml#/components/responses/Problem' }
",
    );
    let laid_out = lay_out_files(&[
        ("sample/openapi.yaml", &root),
        ("sample/others.yaml", &sound),
    ]);
    let found = output::make(laid_out.path()).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "contracts/openapi/sample/others.yaml:15: [orphan] no root refers to the path /v1/lost",
            "contracts/openapi/sample/others.yaml:18: [orphan] nothing refers to `Thing` of schemas",
        ]
    );
}

#[test]
fn one_name_means_one_thing_in_all_apis() {
    let other = SAMPLE
        .replace("things", "gadgets")
        .replace("thing_", "gadget_")
        .replace("x-nouns: [thing]", "x-nouns: [gadget]")
        .replace("enum: [new, old]", "enum: [new]");
    let at = number(SAMPLE, "ThingState:");
    let laid_out = lay_out_files(&[
        ("sample/openapi.yaml", SAMPLE),
        ("zother/openapi.yaml", &other),
    ]);
    let found = output::make(laid_out.path()).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [format!(
            "contracts/openapi/zother/openapi.yaml:{at}: [name-taken] `ThingState` means something else at {FILE}:{at}"
        )]
    );
}
