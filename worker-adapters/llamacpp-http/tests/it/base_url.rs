//! Addresses that an adapter takes and refuses.

use llamacpp_http::{LlamacppAdapter, Timeouts};

#[test]
fn an_address_that_is_none_is_refused_with_a_hint() {
    let cases = [
        "127.0.0.1:8080",
        "localhost",
        "",
        "https://127.0.0.1:8080",
        "http://",
    ];
    let table: Vec<String> = cases
        .iter()
        .map(|url| match LlamacppAdapter::new(url, Timeouts::default()) {
            Ok(_) => format!("{url}: taken"),
            Err(error) => error.to_string(),
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    the engine at 127.0.0.1:8080 cannot be reached: relative URL without a base; write it like http://127.0.0.1:8080
    the engine at localhost cannot be reached: relative URL without a base; write it like http://127.0.0.1:8080
    the engine at  cannot be reached: relative URL without a base; write it like http://127.0.0.1:8080
    the engine at https://127.0.0.1:8080 cannot be reached: https is not spoken here; use http on loopback or a private network
    the engine at http:// cannot be reached: empty host; write it like http://127.0.0.1:8080
    "#);
}

#[test]
fn an_http_address_is_taken_with_and_without_a_slash() {
    for url in [
        "http://127.0.0.1:8080",
        "http://[::1]:8080/",
        "http://engine/base/",
    ] {
        assert!(
            LlamacppAdapter::new(url, Timeouts::default()).is_ok(),
            "{url}"
        );
    }
}
