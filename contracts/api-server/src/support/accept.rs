//! Content negotiation: whether the one media type of an operation is acceptable.

use http::{HeaderMap, header::ACCEPT};

/// Whether `Accept` allows a media type. No header, or an unreadable one, allows everything.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    // The most specific range decides, as RFC 9110 has it; `q=0` refuses.
    ranges
        .filter_map(|range| weigh(range, media_type))
        .max_by_key(|(rank, _)| *rank)
        .is_some_and(|(_, allowed)| allowed)
}

/// How specifically a range speaks of the media type, and whether it allows it.
fn weigh(range: &str, media_type: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let rank = match name.split_once('/')? {
        ("*", "*") => 0,
        (kind, "*") if media_type.split('/').next() == Some(kind) => 1,
        _ if name == media_type => 2,
        _ => return None,
    };
    let refused = parts
        .filter_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .any(|weight| {
            weight
                .trim()
                .parse::<f32>()
                .is_ok_and(|weight| weight <= 0.0)
        });
    Some((rank, !refused))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, media_type, allowed) in [
            ("*/*", "application/json", true),
            ("application/*;q=0.1", "application/json", true),
            ("text/html, application/json", "application/json", true),
            ("text/html", "application/json", false),
            ("*/*, application/json;q=0", "application/json", false),
            ("application/json", "text/event-stream", false),
            ("TEXT/Event-Stream", "text/event-stream", true),
            ("", "application/json", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(accepts(&headers, media_type), allowed, "{accept}");
        }
        assert!(accepts(&HeaderMap::new(), "application/json"));
    }
}
