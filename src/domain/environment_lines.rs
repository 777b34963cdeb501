//! Settings with one `[environment=]value` in each line.
//!
//! Invariant: a line without an environment belongs to `default`.

/// The lines that are not empty, trimmed and counted from 1.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty())
}

/// Splits a line into its environment, `default` if it names none, and its value. The `=` that pads a
/// base64 value does not split. `None` if the part before the first other `=` is not an environment
/// id, or the value is not plain.
pub(crate) fn split(line: &str) -> Option<(&str, &str)> {
    let unpadded = line.trim_end_matches('=');
    let (id, value) = match unpadded.find('=') {
        Some(at) => (line.get(..at)?, line.get(at + 1..)?),
        None => ("default", line),
    };
    let plain = value.bytes().all(|b| b.is_ascii_graphic()) && !value.starts_with('#');
    (is_environment_id(id) && plain && !unpadded.is_empty()).then_some((id, value))
}

fn is_environment_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
